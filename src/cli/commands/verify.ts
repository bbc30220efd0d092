/** `varve verify`: whether what is stored of a version, a copy of it, and what it links to are still what they were. */
import { Dataset } from "../../dataset/dataset.js";
import type { VerifiedContent } from "../../dataset/verify/verify-content.js";
import type { VerifiedFolder } from "../../dataset/verify/verify-folder.js";
import type { VerifyOptions } from "../../dataset/verify/verify-version.js";
import type { VerifiedLinks } from "../../dataset/verify-links.js";
import { DatasetError } from "../../errors.js";
import { jsonOf } from "../../paths.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatBytes, formatCountOf, formatPath, printable } from "../format.js";
import { startProgress } from "../progress.js";

export function addVerifyCommand(cli: Cli): void {
  cli.command(
    "verify <reference> [folder]",
    "Find out whether a version, or a copy of it, is still what it was",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id",
        })
        .positional("folder", {
          type: "string",
          describe: "A copy to compare with the version (default: what is stored of the version)",
        })
        .option("size", { type: "boolean", default: false, describe: "Compare sizes only, reading nothing" })
        .option("links", { type: "boolean", default: false, describe: "Also ask the source of each link" })
        .option("hash", {
          type: "boolean",
          default: false,
          describe: "With --links: also read those whose SHA-256 is known",
        })
        .example("$0 verify vision/cifar10", "read all that is stored; exit code 1 when something is wrong")
        .example("$0 verify vision/cifar10 --size", "only look whether every pack is there, and long enough")
        .example("$0 verify vision/cifar10@1.2.0 ./cifar10", "what of a copy differs, is missing or extra")
        .example("$0 verify vision/cifar10 --size --links", "also which links have changed or are gone"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        if (args.hash && !args.links) throw hashWithoutLinks();
        const dataset = await Dataset.get(args.reference, { workspace });
        const by = args.size ? "size" : "hash";
        const verified = await verifying({ folder: args.folder, by, signal }, (options) =>
          dataset.verify(options),
        );
        const links = args.links ? await dataset.verifyLinks({ hash: args.hash, signal }) : undefined;
        if (json) output.json({ version: dataset.reference, ...jsonOfVerified(verified, links) });
        else output.data([textOfVerified(verified), ...(links ? [textOfLinks(links)] : [])].join("\n"));
        if (wrongIn(verified) > 0 || (links && links.drifted.length > 0)) process.exitCode = ExitCode.failed;
      }),
  );
}

type Verified = VerifiedContent | VerifiedFolder;

async function verifying(
  options: VerifyOptions,
  verify: (options: VerifyOptions) => Promise<Verified>,
): Promise<Verified> {
  const bar = startProgress({ label: "Verifying", of: "bytes" });
  let done = 0;
  const onProgress: VerifyOptions["onProgress"] = ({ bytes, totalBytes }) => {
    bar.setTotal(totalBytes);
    bar.advance(bytes - done);
    done = bytes;
  };
  return verify({ ...options, onProgress }).finally(() => bar.stop());
}

function wrongIn(verified: Verified): number {
  return verified.of === "content" ? verified.damaged.length : verified.differences.length;
}

function jsonOfVerified(verified: Verified, links: VerifiedLinks | undefined): Record<string, unknown> {
  const drifted = links?.drifted.map((drift) => ({ ...drift, path: jsonOf(drift.path) }));
  return {
    ...(verified.of === "content" ? jsonOfContent(verified) : jsonOfFolder(verified)),
    ...(links && { links: { ...links, drifted } }),
  };
}

function jsonOfContent(verified: VerifiedContent): Record<string, unknown> {
  const damaged = verified.damaged.map((damage) => ({ ...damage, paths: damage.paths.map(jsonOf) }));
  return { ...verified, damaged };
}

function jsonOfFolder(verified: VerifiedFolder): Record<string, unknown> {
  const differences = verified.differences.map((each) => ({ ...each, path: jsonOf(each.path) }));
  return { ...verified, differences };
}

function textOfVerified(verified: Verified): string {
  return verified.of === "content" ? textOfContent(verified) : textOfFolder(verified);
}

/** What is wrong, each with the files it costs, and a line that sums it up. */
function textOfContent({ by, packs, chunks, bytes, damaged }: VerifiedContent): string {
  const lines = damaged.flatMap(({ state, what, remote, key, start, end, paths, problem }) => [
    `${state.padEnd(7)}  ${what} ${printable(remote)} ${key} [${start}, ${end}): ${printable(problem)}`,
    ...paths.map((path) => `         in ${formatPath(path)}`),
  ]);
  const files = new Set(damaged.flatMap(({ paths }) => paths)).size;
  const how = by === "hash" ? "read" : "looked for, not read";
  const found =
    damaged.length === 0
      ? "nothing is wrong"
      : `${formatCountOf(damaged.length, "fault")} in ${formatCountOf(files, "file")}`;
  const what = `${formatCountOf(packs, "pack")}, ${formatCountOf(chunks, "chunk")}, ${formatBytes(bytes)} ${how}`;
  return [...lines, `${what}: ${found}`].join("\n");
}

function textOfFolder({ by, folder, entries, unhashed, differences }: VerifiedFolder): string {
  const lines = differences.map(({ path, state, problem }) => {
    const why = problem === "" ? "" : `: ${printable(problem)}`;
    return `${state.padEnd(10)}  ${path === "" ? "." : formatPath(path)}${why}`;
  });
  const how = by === "hash" ? "" : " by size";
  const without =
    unhashed === 0 || by === "size" ? "" : `, ${formatCountOf(unhashed, "external file")} by size`;
  const found =
    differences.length === 0 ? "as in the version" : formatCountOf(differences.length, "difference");
  return [
    ...lines,
    `${formatCountOf(entries, "entry", "entries")} compared${how} with "${printable(folder)}"${without}: ${found}`,
  ].join("\n");
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

function hashWithoutLinks(): DatasetError<"bad-input"> {
  const message =
    "Cannot take --hash without --links: stored content is read and hashed unless --size is given";
  return new DatasetError("bad-input", { value: "--hash" }, message);
}
