/** `varve verify`: whether what a version leads to is still what it was. */
import { Dataset } from "../../dataset/dataset.js";
import type { VerifiedLinks } from "../../dataset/verify-links.js";
import { DatasetError } from "../../errors.js";
import { jsonOf } from "../../paths.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatCountOf, formatPath, printable } from "../format.js";

export function addVerifyCommand(cli: Cli): void {
  cli.command(
    "verify <reference>",
    "Find out whether a version's links still lead to what was linked",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id",
        })
        .option("links", { type: "boolean", default: false, describe: "Ask the source of each link" })
        .option("hash", {
          type: "boolean",
          default: false,
          describe: "With --links: also read those whose SHA-256 is known",
        })
        .example("$0 verify vision/cifar10 --links", "exit code 1 when one has changed or is gone"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        if (!args.links) throw nothingToVerify();
        const dataset = await Dataset.get(args.reference, { workspace });
        const verified = await dataset.verifyLinks({ hash: args.hash, signal });
        if (json) output.json({ version: dataset.reference, ...jsonOfLinks(verified) });
        else output.data(textOfLinks(verified));
        if (verified.drifted.length > 0) process.exitCode = ExitCode.failed;
      }),
  );
}

function jsonOfLinks({ links, unpinned, drifted }: VerifiedLinks): Record<string, unknown> {
  return { links, unpinned, drifted: drifted.map((drift) => ({ ...drift, path: jsonOf(drift.path) })) };
}

function textOfLinks({ links, unpinned, drifted }: VerifiedLinks): string {
  const lines = drifted.map(({ path, url, state, problem }) => {
    const why = problem === "" ? "" : `: ${printable(problem)}`;
    return `${state.padEnd(7)}  ${formatPath(path)} -> ${printable(url)}${why}`;
  });
  const without = unpinned === 0 ? "" : `, ${unpinned} of them unpinned: only sizes were compared`;
  const found = drifted.length === 0 ? "as linked" : `${drifted.length} not as linked`;
  return [...lines, `${formatCountOf(links, "link")}, ${found}${without}`].join("\n");
}

function nothingToVerify(): DatasetError<"bad-input"> {
  const message = "Cannot verify nothing: say --links";
  return new DatasetError("bad-input", { value: "" }, message);
}
