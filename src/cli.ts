#!/usr/bin/env node
/** argv to calls, results to text or `--json`, failures to exit codes. The commands stand in `cli/commands/`. */
import { readFileSync } from "node:fs";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { addAnnotateCommands } from "./cli/commands/annotate.js";
import { addCacheCommand } from "./cli/commands/cache.js";
import { addCatalogCommand } from "./cli/commands/catalog.js";
import { addCopiesCommand } from "./cli/commands/copies.js";
import { addDatasetCommands } from "./cli/commands/datasets.js";
import { addDoctorCommand } from "./cli/commands/doctor.js";
import { addDraftCommands } from "./cli/commands/drafts.js";
import { addGetCommand } from "./cli/commands/get.js";
import { addMetadataCommand } from "./cli/commands/metadata.js";
import { addJobCommands } from "./cli/commands/jobs.js";
import { addMountCommands } from "./cli/commands/mounts.js";
import { addPrefetchCommand } from "./cli/commands/prefetch.js";
import { addRecoverCommand } from "./cli/commands/recover.js";
import { addRemoteCommands } from "./cli/commands/remotes.js";
import { addSearchCommands } from "./cli/commands/search.js";
import { addSquashCommand } from "./cli/commands/squash.js";
import { addVerifyCommand } from "./cli/commands/verify.js";
import { addVersionCommands } from "./cli/commands/versions.js";
import { reportFailure, withGlobalOptions } from "./cli/context.js";
import { ExitCode } from "./cli/exit-codes.js";
import { processOutput } from "./cli/output.js";
import { DatasetError } from "./errors.js";

const EPILOGUE = `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 left uncommitted (varve recover).
A reference is PROJECT/NAME@LABEL, PROJECT/NAME for the latest version, or a version id;
REMOTE#PROJECT/NAME@LABEL is read from that remote (a URL, path or name) without a catalog.`;

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

if (process.argv.length === 3 && process.argv[2] === "--version") {
  process.stdout.write(`${version}\n`);
  process.exit();
}

const commands = [
  addDraftCommands,
  addSquashCommand,
  addVersionCommands,
  addSearchCommands,
  addJobCommands,
  addGetCommand,
  addVerifyCommand,
  addMetadataCommand,
  addAnnotateCommands,
  addDatasetCommands,
  addMountCommands,
  addRecoverCommand,
  addRemoteCommands,
  addCatalogCommand,
  addPrefetchCommand,
  addCacheCommand,
  addCopiesCommand,
  addDoctorCommand,
];
const base = withGlobalOptions(yargs(hideBin(process.argv)).scriptName("varve"));

for (const add of commands) add(base);

await base
  .usage(
    "$0 COMMAND\n\nMount any version of a dataset as a folder; unmounting a writable mount makes the next version.",
  )
  .completion("completion", "Print a completion script: source <(varve completion)")
  // `--version LABEL` belongs to commands; alone it asks for the version of varve, below.
  .version(false)
  .parserConfiguration({ "parse-numbers": false, "parse-positional-numbers": false, "greedy-arrays": false })
  .demandCommand(1, "Say what to do; varve --help lists the commands")
  .recommendCommands()
  .strict()
  .epilogue(EPILOGUE)
  .wrap(Math.min(100, process.stdout.columns || 100))
  .fail((message: string | null, error: Error | undefined) => {
    // A YError is an argument that yargs itself could not take.
    const json = process.argv.includes("--json");
    if (error && error.name !== "YError") reportFailure(processOutput(), error, { json });
    else {
      reportFailure(processOutput(), wrongUsage(message ?? ""), { json });
      process.exit(ExitCode.usage);
    }
  })
  .parseAsync();

function wrongUsage(message: string): DatasetError<"bad-input"> {
  const words = message.startsWith("Not enough non-option")
    ? `${message}; --help shows what it takes`
    : message;
  return new DatasetError("bad-input", { value: hideBin(process.argv).join(" ") }, words);
}
