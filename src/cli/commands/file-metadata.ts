/** `varve metadata file` and `varve metadata import`: what is said of single files. */
import type { Argv } from "yargs";
import { Dataset } from "../../dataset/dataset.js";
import { valueOfCell } from "../../dataset/tables/csv.js";
import { DatasetError } from "../../errors.js";
import { type GlobalOptions, run } from "../context.js";
import { formatCountOf } from "../format.js";

type MetadataCli = Argv<GlobalOptions>;

export const FILE_METADATA_COMMANDS = [file, importFiles];

function file(cli: MetadataCli): void {
  cli.command(
    "file <reference> <path> [fields..]",
    "Say something of one file, or print what is said of it",
    (yargs) =>
      replaceOption(referenceOption(yargs))
        .positional("path", { type: "string", demandOption: true, describe: "File inside the version" })
        .positional("fields", {
          type: "string",
          array: true,
          default: [] as string[],
          describe: "NAME=VALUE; NAME= takes a field away",
        })
        .example("$0 metadata file vision/pets@1.1.0 cats/1.jpg label=cat width=640", "two fields")
        .example("$0 metadata file vision/pets cats/1.jpg", "what is said of it, as JSON"),
    (args) =>
      run(args, async ({ workspace, output }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const { path, fields, replace } = args;
        if (fields.length > 0) await dataset.setFileMetadata(path, fieldsOf(fields), { replace });
        output.json((await dataset.getFileMetadata(path)) ?? {});
        dataset.close();
      }),
  );
}

function importFiles(cli: MetadataCli): void {
  cli.command(
    "import <reference> <file>",
    "Say something of many files: CSV, TSV or JSON lines with a column `path`",
    (yargs) =>
      replaceOption(referenceOption(yargs))
        .positional("file", { type: "string", demandOption: true, describe: "File with a line for each" })
        .example("$0 metadata import vision/pets@1.1.0 labels.csv", "path,label,width …"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const files = await dataset.importFileMetadata(args.file, { replace: args.replace });
        if (json) output.json({ id: dataset.id, files });
        else output.data(`Metadata of ${formatCountOf(files, "file")} set`);
        dataset.close();
      }),
  );
}

function referenceOption<T>(yargs: Argv<T>) {
  const describe = "PROJECT/NAME[@LABEL] or id";
  return yargs.positional("reference", { type: "string", demandOption: true, describe });
}

function replaceOption<T>(yargs: Argv<T>) {
  const describe = "Take away fields that are not given";
  return yargs.option("replace", { type: "boolean", default: false, describe });
}

function fieldsOf(given: readonly string[]): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw noField(text);
      return [text.slice(0, at), valueOfCell(text.slice(at + 1)) ?? null];
    }),
  );
}

function noField(text: string): DatasetError<"bad-input"> {
  const message = `Cannot take ${JSON.stringify(text)} as a field: write NAME=VALUE`;
  return new DatasetError("bad-input", { value: text }, message);
}
