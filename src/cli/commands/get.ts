/** `varve get`: a version as a folder on this machine. */
import { Dataset } from "../../dataset/dataset.js";
import { processMark } from "../../daemon/process.js";
import type { LocalCopy } from "../../dataset/copies/local-copy.js";
import type { CopyOptions, MutableCopy } from "../../dataset/copies/mutable-copy.js";
import { DatasetError } from "../../errors.js";
import { aliasOptions } from "../alias-options.js";
import { type Cli, type Context, run } from "../context.js";
import { formatBytes, formatCountOf } from "../format.js";
import { startProgress } from "../progress.js";

export function addGetCommand(cli: Cli): void {
  cli.command(
    "get <reference> [directory]",
    "A version, or some of its files, as a folder on this machine; prints its path",
    (yargs) =>
      aliasOptions(yargs)
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .positional("directory", {
          type: "string",
          describe: "A folder for a copy of your own (default: one to read, which varve keeps)",
        })
        .option("copy", {
          type: "boolean",
          default: false,
          describe: "Files, also where a mount could be",
        })
        .option("mount", { type: "boolean", default: false, describe: "A mount, or fail" })
        .option("file", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Only this file, or folder with all in it (again for more)",
        })
        .option("glob", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Only what matches, e.g. '*.jpg' (names) or 'train/*.jpg' (paths)",
        })
        .option("part", {
          type: "string",
          requiresArg: true,
          coerce: whole,
          describe: "One part, counted from 0",
        })
        .option("num-parts", {
          type: "string",
          requiresArg: true,
          coerce: whole,
          describe: "Of how many parts of about equal bytes",
        })
        .option("links", {
          choices: ["fetch", "skip"] as const,
          default: "fetch" as const,
          describe: "Whether external files are fetched too",
        })
        .option("overwrite", {
          type: "boolean",
          default: false,
          describe: "Make a folder that holds something equal to the version",
        })
        .option("max-workers", {
          type: "string",
          requiresArg: true,
          coerce: whole,
          describe: "Threads that write",
        })
        .example("$0 get vision/cifar10", "to read: a mount, or where that cannot be a folder of files")
        .example(
          "$0 get vision/cifar10@1.2.0 ./cifar10",
          "a copy to work in; varve sync ./cifar10 makes the next version",
        )
        .example("$0 get vision/cifar10 ./some --glob 'train/*.png'", "some files of the latest version")
        .example("$0 get vision/cifar10 ./part0 --part 0 --num-parts 8", "one eighth of it"),
    (args) =>
      run(args, async (context) => {
        const { alias, overridable } = args;
        const dataset = await Dataset.get(args.reference, {
          workspace: context.workspace,
          alias,
          overridable,
        });
        const { directory, file: files, glob: globs, part, numParts, maxWorkers, overwrite } = args;
        const links = args.links === "skip" ? ("skip" as const) : undefined;
        const chosen = { files, globs, part, numParts, links, maxWorkers };
        if (args.copy && args.mount) throw contradictory("--copy and --mount exclude each other");
        if (directory === undefined) {
          if (overwrite) throw contradictory("--overwrite is for a folder of your own: name it");
          const mode = args.mount ? "mount" : args.copy ? "files" : "auto";
          const user = processMark(process.ppid);
          const copy = await copying(context, (given) =>
            dataset.getLocalCopy({ ...chosen, mode, user, ...given }),
          );
          tell(
            context,
            dataset,
            copy,
            copy.kind === "mount" ? `${copy.reference}: mounted` : copiedLine(copy),
          );
        } else {
          if (args.mount)
            throw contradictory("--mount has its own place; varve mount REF DIR mounts on yours");
          const copy = await copying(context, (given) =>
            dataset.getMutableLocalCopy(directory, { ...chosen, overwrite, ...given }),
          );
          tell(context, dataset, copy, copiedLine(copy));
        }
      }),
  );
}

/** Runs what copies, with a progress bar. */
async function copying<T>(
  { signal }: Context,
  work: (options: Pick<CopyOptions, "signal" | "onProgress">) => Promise<T>,
): Promise<T> {
  const bar = startProgress({ label: "Copying", of: "bytes" });
  let done = 0;
  const onProgress: CopyOptions["onProgress"] = ({ bytes, totalBytes }) => {
    bar.setTotal(totalBytes);
    bar.advance(bytes - done);
    done = bytes;
  };
  return work({ signal, onProgress }).finally(() => bar.stop());
}

function tell(
  { output, json }: Context,
  dataset: Dataset,
  copy: LocalCopy | MutableCopy,
  line: string,
): void {
  if (json) {
    output.json({ ...copy, unmerged: dataset.unmerged });
    return;
  }
  output.say(line);
  output.data(copy.path);
}

/** `lab/data@1.0.0: 4,120 files, 104 MiB; 12 written, 1 removed`. */
function copiedLine(copy: LocalCopy | MutableCopy): string {
  const { reference, files = 0, bytes = 0, writtenFiles = 0 } = copy;
  const removedFiles = "removedFiles" in copy ? copy.removedFiles : 0;
  const removed = removedFiles > 0 ? `, ${formatCountOf(removedFiles, "file")} removed` : "";
  return `${reference}: ${formatCountOf(files, "file")}, ${formatBytes(bytes)}; ${formatCountOf(writtenFiles, "file")} written${removed}`;
}

function contradictory(problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: "get" }, `Cannot get it so: ${problem}`);
}

/** @throws {DatasetError} `bad-input` */
function whole(text: string | undefined): number | undefined {
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new DatasetError("bad-input", { value: text }, `Cannot take "${text}": it must be a whole number`);
}
