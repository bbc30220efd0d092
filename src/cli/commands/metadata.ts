/** `varve metadata`: values kept with a version by name. */
import { writeFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import type { Argv } from "yargs";
import { Dataset } from "../../dataset/dataset.js";
import type { MetadataInfo } from "../../dataset/metadata.js";
import type { MetadataValue } from "../../dataset/metadata-value.js";
import { type Cli, type Context, type GlobalOptions, run } from "../context.js";
import { formatBytes, printable } from "../format.js";
import { renderTable } from "../table.js";
import { FILE_METADATA_COMMANDS } from "./file-metadata.js";

export function addMetadataCommand(cli: Cli): void {
  cli.command("metadata", "Keep values with a version by name: JSON, text, tables, any bytes", (yargs) => {
    for (const command of [set, get, list, remove, ...FILE_METADATA_COMMANDS]) command(yargs);
    return yargs.demandCommand(1, "Say what to do: set, get, list, remove, file or import");
  });
}

type MetadataCli = Argv<GlobalOptions>;

function set(cli: MetadataCli): void {
  cli.command(
    "set <reference> <name> [file]",
    "Keep a file, or what comes on standard input, under a name",
    (yargs) =>
      nameOption(referenceOption(yargs))
        .positional("file", { type: "string", default: "-", describe: "File; - is standard input" })
        .option("type", {
          type: "string",
          requiresArg: true,
          describe: "Media type (default: by the ending)",
        })
        .example("$0 metadata set vision/cifar10@1.2.0 labels labels.csv", "a table")
        .example("echo '{\"seed\": 7}' | $0 metadata set REF run --type application/json", "JSON"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { name, file, type } = args;
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const info =
          file === "-"
            ? await dataset.setMetadataBytes(await buffer(process.stdin), { name, type })
            : await dataset.setMetadataFile(file, { name, type });
        if (json) output.json({ id: dataset.id, ...info });
        else output.data(`${printable(info.name)}  ${info.type}  ${formatBytes(info.bytes)}`);
        dataset.close();
      }),
  );
}

function get(cli: MetadataCli): void {
  cli.command(
    "get <reference> <name>",
    "Print a value as it was put in",
    (yargs) =>
      nameOption(referenceOption(yargs))
        .option("output", { type: "string", alias: "o", requiresArg: true, describe: "File to write it to" })
        .example("$0 metadata get vision/cifar10@1.2.0 labels > labels.csv", "the bytes, unchanged"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const { value, ...info } = await dataset.requireMetadata(args.name);
        if (args.output !== undefined) writeFileSync(args.output, bytesOf(value, info));
        if (json) output.json({ ...info, value: jsonOf(value) });
        else if (args.output === undefined) process.stdout.write(bytesOf(value, info));
        dataset.close();
      }),
  );
}

function list(cli: MetadataCli): void {
  cli.command(
    ["list <reference>", "ls <reference>"],
    "List what is kept with a version",
    (yargs) => referenceOption(yargs).example("$0 metadata list vision/cifar10", "names, types and sizes"),
    (args) =>
      run(args, async (context) => {
        const dataset = await Dataset.get(args.reference, {
          onlyCompleted: false,
          workspace: context.workspace,
        });
        print(context, await dataset.listMetadata());
        dataset.close();
      }),
  );
}

function print({ output, json }: Context, values: readonly MetadataInfo[]): void {
  if (json) {
    output.json(values);
    return;
  }
  const columns = [{ title: "name" }, { title: "type" }, { title: "size", align: "right" as const }];
  const rows = values.map(({ name, type, bytes }) => [printable(name), type, formatBytes(bytes)]);
  if (rows.length > 0) output.data(renderTable(columns, rows));
}

function remove(cli: MetadataCli): void {
  cli.command(
    ["remove <reference> <name>", "rm <reference> <name>"],
    "Remove a value",
    (yargs) =>
      nameOption(referenceOption(yargs)).example("$0 metadata remove vision/cifar10@1.2.0 labels", "no more"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        await dataset.deleteMetadata(args.name);
        if (json) output.json({ id: dataset.id, removed: args.name });
        else output.data(`${printable(args.name)} removed from ${dataset.reference}`);
        dataset.close();
      }),
  );
}

function referenceOption<T>(yargs: Argv<T>) {
  const describe = "[REMOTE#]PROJECT/NAME[@LABEL] or id";
  return yargs.positional("reference", { type: "string", demandOption: true, describe });
}

function nameOption<T>(yargs: Argv<T>) {
  return yargs.positional("name", { type: "string", demandOption: true, describe: "Name of the value" });
}

/** JSON ends with a line end, as a terminal wants it; text and bytes are as they were. */
function bytesOf(value: MetadataValue, { form }: MetadataInfo): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(form === "text" && typeof value === "string" ? value : `${JSON.stringify(value)}\n`);
}

function jsonOf(value: MetadataValue): unknown {
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value;
}
