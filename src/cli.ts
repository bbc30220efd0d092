#!/usr/bin/env node
/** argv to calls, results to text or `--json`, failures to exit codes. The commands stand in `cli/commands/`. */
import { readFileSync } from "node:fs";
import { hideBin } from "yargs/helpers";
import { markAfterDashes } from "./cli/after-dashes.js";
import { withoutClearmlSpellings } from "./cli/clearml-spellings.js";
import { reportFailure } from "./cli/context.js";
import { ExitCode } from "./cli/exit-codes.js";
import { processOutput } from "./cli/output.js";
import { programOf } from "./cli/program.js";
import { wrongUsage } from "./cli/wrong-usage.js";
import { collectLessOften } from "./garbage.js";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

if (process.argv.length === 3 && process.argv[2] === "--version") {
  process.stdout.write(`${version}\n`);
  process.exit();
}

if (process.argv[2] === "--complete") {
  const { printCompletions } = await import("./cli/completion.js");
  await printCompletions(programOf, process.argv.slice(3));
  process.exit();
}

collectLessOften();
const words = markAfterDashes(withoutClearmlSpellings(hideBin(process.argv)));

const program = await programOf(words, { columns: Math.min(100, process.stdout.columns || 100) });
await program
  .fail((message: string | null, error: Error | undefined) => {
    // A YError is an argument that yargs itself could not take.
    const json = process.argv.includes("--json");
    if (error && error.name !== "YError") reportFailure(processOutput(), error, { json });
    else {
      reportFailure(processOutput(), wrongUsage(message ?? "", hideBin(process.argv)), { json });
      process.exit(ExitCode.usage);
    }
  })
  .parseAsync();
