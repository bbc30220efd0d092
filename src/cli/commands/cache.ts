/** `varve cache`: what is in the cache, and what is to stay there or to go. */
import type { VerifyResult } from "../../cache/verify.js";
import { pinVersion, unpinVersion } from "../../dataset/cached-content.js";
import { clearCached } from "../../dataset/clear-cached.js";
import { locateVersion } from "../../dataset/remote-reference.js";
import { type Cli, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { formatBytes, formatCountOf } from "../format.js";
import { startProgress } from "../progress.js";
import { addCacheStatusCommand } from "./cache-status.js";
import { nameOfPinned, pathsOf, warmedLine, warming } from "./prefetch.js";

export function addCacheCommand(cli: Cli): void {
  cli.command(
    "cache",
    "Look after the cache: status, clear, verify, pin, unpin",
    (yargs) => {
      for (const command of [addCacheStatusCommand, clear, verify, pin, unpin]) command(yargs);
      return yargs
        .demandCommand(1, "Say what to do with the cache; varve cache --help lists it")
        .example("$0 cache status", "what is in it, what is pinned, who uses it")
        .example("$0 cache pin vision/cifar10@1.2.0", "fetch it, and keep it whatever else is read");
    },
    () => undefined,
  );
}

function clear(cli: Cli): void {
  cli.command(
    "clear [reference]",
    "Empty the cache, or take a version or dataset out of it; what is pinned stays",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          describe: "PROJECT/NAME for all its versions, PROJECT/NAME@LABEL or an id for one",
        })
        .example("$0 cache clear", "all but what is pinned")
        .example("$0 cache clear vision/cifar10", "every version of it that lies there"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { reference } = args;
        const cleared = await (reference === undefined
          ? workspace.housekeeping().clear()
          : clearCached(workspace, reference));
        const { files, bytes, pinnedBytes } = cleared;
        const kept = pinnedBytes > 0 ? `; ${formatBytes(pinnedBytes)} are pinned and stay` : "";
        if (json) output.json(cleared);
        else output.data(`Removed ${formatCountOf(files, "file")}, ${formatBytes(bytes)}${kept}`);
      }),
  );
}

function verify(cli: Cli): void {
  cli.command(
    "verify",
    "Read everything in the cache and compare it with its hashes; what is damaged is dropped",
    (yargs) => yargs.example("$0 cache verify", "exit code 1 when something was damaged"),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        const housekeeping = workspace.housekeeping();
        const total = housekeeping.report().bytes;
        const bar = startProgress({ label: "Verifying", of: "bytes", total });
        const found = await housekeeping
          .verify({ signal, onProgress: (bytes) => bar.advance(bytes) })
          .finally(() => bar.stop());
        if (json) output.json(found);
        else output.data(verifiedLine(found));
        if (found.brokenPins > 0) output.warn(brokenLine(found.brokenPins));
        if (found.damagedFiles + found.missingFiles > 0) process.exitCode = ExitCode.failed;
      }),
  );
}

function verifiedLine(found: VerifyResult): string {
  const { blocks, files, bytes, damagedBlocks, damagedFiles, missingFiles } = found;
  const read = `Read ${formatCountOf(blocks, "block")} in ${formatCountOf(files, "file")}, ${formatBytes(bytes)}`;
  const dropped = damagedFiles + missingFiles;
  if (dropped === 0) return `${read}: all right`;
  const damage = `${formatCountOf(damagedBlocks, "block")} damaged, ${formatCountOf(missingFiles, "file")} missing`;
  return `${read}: ${damage}, ${formatCountOf(dropped, "file")} dropped; what was in them is fetched again when it is read`;
}

function brokenLine(pins: number): string {
  return `${formatCountOf(pins, "pin")} lack something now: varve cache status shows which, varve cache pin fetches it again`;
}

function pin(cli: Cli): void {
  cli.command(
    "pin <reference> [paths..]",
    "Fetch a version, or some paths of it, and keep it in the cache until unpin",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id",
        })
        .positional("paths", { type: "string", array: true, describe: "Files and folders (default: all)" })
        .example("$0 cache pin vision/cifar10@1.2.0 train", "one folder of a version"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json } = context;
        const { found } = await locateVersion(workspace, args.reference);
        const pinned = await warming(context, "Pinning", (options) =>
          pinVersion(workspace, found, { ...options, paths: pathsOf(args.paths) }),
        );
        if (json) output.json(pinned);
        else for (const warmed of pinned) output.data(`Pinned ${warmedLine(warmed)}`);
      }),
  );
}

function unpin(cli: Cli): void {
  cli.command(
    "unpin <reference> [paths..]",
    "Let what was pinned go when its room is needed",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id",
        })
        .positional("paths", { type: "string", array: true, describe: "As they were pinned (default: all)" })
        .example("$0 cache unpin vision/cifar10@1.2.0", "all pins of that version"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const gone = await unpinVersion(workspace, args.reference, pathsOf(args.paths));
        if (json) output.json(gone);
        else
          for (const { reference, paths } of gone) output.data(`Unpinned ${nameOfPinned(reference, paths)}`);
      }),
  );
}
