/** `varve mount`: a version, or all of them, as a folder. */
import { type MountInfo, nameOfShown } from "../../daemon/config.js";
import type { HeldVersion } from "../../dataset/cached-content.js";
import { startMount } from "../../dataset/mounting.js";
import { DatasetError } from "../../errors.js";
import { LOG_LEVELS } from "../../log-format.js";
import { type Cli, type Context, run } from "../context.js";
import type { FindArguments, FoundHere } from "./mount-found.js";
import { aliasOptions, noteUse, overriddenReference } from "../alias-options.js";

export function addMountCommand(cli: Cli): void {
  cli.command(
    "mount <reference> [directory]",
    "Mount a version as a folder, or with --all every version there is",
    (yargs) =>
      aliasOptions(yargs)
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id; left out with --all",
        })
        .positional("directory", { type: "string", describe: "An empty folder" })
        .option("all", {
          type: "boolean",
          default: false,
          describe: "Every version, as PROJECT/NAME/LABEL, to read",
        })
        .option("writable", {
          alias: "w",
          type: "boolean",
          default: false,
          describe: "Changes become a child version on unmount",
        })
        .option("foreground", {
          type: "boolean",
          default: false,
          describe: "Serve from this process (for containers)",
        })
        .option("allow-other", { type: "boolean", default: false, describe: "Other users may look in" })
        .option("uid", {
          type: "number",
          requiresArg: true,
          coerce: ownerNumber,
          describe: "Show everything as this user's (number)",
        })
        .option("gid", {
          type: "number",
          requiresArg: true,
          coerce: ownerNumber,
          describe: "Show everything as this group's (number)",
        })
        .option("preserve-owner", {
          type: "boolean",
          default: false,
          describe: "Show the owners the version keeps",
        })
        .option("passthrough", {
          type: "boolean",
          default: true,
          describe: "Let the kernel read large cached files by itself (--no-passthrough: never)",
        })
        .option("prefetch", {
          type: "boolean",
          default: false,
          describe: "Fetch all of it first, and keep it in the cache while it is mounted",
        })
        .option("where", {
          type: "string",
          requiresArg: true,
          describe: "Show only files of which this holds, e.g. \"label = 'cat' and width > 100\"",
        })
        .option("glob", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Show only files that this matches, e.g. '*.jpg'",
        })
        .option("offline", {
          type: "boolean",
          default: false,
          describe: "Ask no remote: show what is in the cache, and fail for the rest",
        })
        .option("transport", { choices: ["kernel", "fuse-native"] as const, default: "kernel" as const })
        .option("accept-limits", {
          type: "boolean",
          default: false,
          describe: "Write through fuse-native in spite of its limits",
        })
        .option("log-level", {
          choices: LOG_LEVELS,
          describe: "Least of what varve logs shows (default: info) [VARVE_LOG_LEVEL]",
        })
        .option("metrics", {
          type: "string",
          requiresArg: true,
          describe: "Serve metrics for Prometheus at [HOST:]PORT, of this machine alone without a host",
        })
        .option("deadline", {
          type: "number",
          default: 60,
          coerce: positive,
          describe: "Longest wait on the remote, in seconds",
        })
        .example("$0 mount vision/cifar10 /data", "the latest version, to read")
        .example("$0 mount -w vision/cifar10@1.2.0 /data", "edit it; varve unmount /data commits")
        .example("$0 mount 's3://bucket/prefix#vision/cifar10' /data", "from a bucket, without a catalog")
        .example("$0 mount vision/cifar10 /cats --where \"label = 'cat'\"", "part of it (docs/metadata.md)")
        .example("$0 mount --all /datasets", "ls /datasets/vision/cifar10/latest"),
    (args) =>
      run(args, async (context) => {
        const { workspace } = context;
        const { writable, allowOther, preserveOwner, passthrough, transport, acceptLimits, deadline } = args;
        const offline = workspace.isOffline;
        const { where, glob: globs, uid, gid } = args;
        const options = {
          writable,
          allowOther,
          uid,
          gid,
          preserveOwner,
          passthrough,
          transport,
          acceptLimits,
          offline,
          where,
          globs,
          logLevel: args.logLevel,
          metrics: args.metrics,
          deadlineMs: deadline * 1000,
        };
        if (offline && args.prefetch) throw contradictory();
        const { reference: asked, directory } = whatAndWhere(args);
        const reference = await overriddenReference(workspace, asked, args);
        const { found, unmerged, held } =
          offline || args.prefetch ? await findHere(context, reference, args) : NOT_FOUND_HERE;
        const given = { ...options, pin: held?.pin };
        const tell = async (info: MountInfo) => {
          held?.release(); // The mount has it now.
          await noteUse(workspace, args, info);
          await tellMounted(context, { ...info, unmerged: unmerged ?? info.unmerged }, held);
        };
        const what = found ?? reference;
        try {
          if (args.foreground) {
            const { mountForeground } = await import("../../daemon/foreground.js");
            await mountForeground(workspace, what, directory, given, tell);
          } else await tell(await startMount(workspace, what, directory, given));
        } finally {
          held?.release();
        }
      }),
  );
}

/** The process of the mount looks for it, so that no other loads what speaks to catalog and store. */
const NOT_FOUND_HERE = { found: undefined, unmerged: undefined, held: undefined };

async function findHere(
  context: Context,
  reference: string | undefined,
  args: FindArguments,
): Promise<FoundHere> {
  return (await import("./mount-found.js")).findHere(context, reference, args);
}

async function tellMounted(
  { output, json }: Context,
  info: MountInfo,
  held: HeldVersion | undefined,
): Promise<void> {
  if (json) output.json({ ...info, prefetched: held?.warmed });
  else output.data(mountedLine(info));
  if (info.missing.length === 0) return;
  const { wordsOnMissing } = await import("../../dataset/missing-remotes.js");
  for (const remote of info.missing) output.warn(wordsOnMissing(remote));
}

function contradictory(): DatasetError<"bad-input"> {
  const message = "Cannot mount with --offline and --prefetch: the one fetches nothing, the other everything";
  return new DatasetError("bad-input", { value: "--offline --prefetch" }, message);
}

/** With `--all` the only argument is the folder. @throws {DatasetError} `bad-input` */
function whatAndWhere(args: { all: boolean; reference: string; directory: string | undefined }): {
  reference: string | undefined;
  directory: string;
} {
  const { all, reference, directory } = args;
  if (all && directory === undefined) return { reference: undefined, directory: reference };
  if (!all && directory !== undefined) return { reference, directory };
  const message = all
    ? "Cannot mount one version with --all: give the folder alone"
    : "Cannot mount: give a version and a folder, or --all and a folder";
  throw new DatasetError("bad-input", { value: reference }, message);
}

function mountedLine(info: MountInfo): string {
  return `Mounted ${nameOfShown(info)} at ${info.mountpoint}${info.writable ? ", writable" : ""}`;
}

/** @throws {DatasetError} `bad-input` */
function ownerNumber(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1) return id;
  const message = "Cannot take --uid or --gid: it must be a whole number";
  throw new DatasetError("bad-input", { value: String(id) }, message);
}

/** @throws {DatasetError} `bad-input` */
function positive(seconds: number): number {
  if (seconds > 0 && seconds < Infinity) return seconds;
  const message = "Cannot take --deadline: it must be a number of seconds above 0";
  throw new DatasetError("bad-input", { value: String(seconds) }, message);
}
