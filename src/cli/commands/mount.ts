/** `varve mount`: a version, or all of them, as a folder. */
import { type MountInfo, nameOfShown } from "../../daemon/config.js";
import { mountForeground } from "../../daemon/foreground.js";
import { tellOfHeads } from "../../dataset/heads.js";
import { type HeldVersion, type Warmed, holdVersion } from "../../dataset/cached-content.js";
import { type FoundVersion, nameOfVersion } from "../../dataset/history.js";
import { wordsOnMissing } from "../../dataset/missing-remotes.js";
import { startMount } from "../../dataset/mounting.js";
import { namesItsRemote } from "../../dataset/reference.js";
import { locateVersion, takeIn } from "../../dataset/remote-reference.js";
import { rootBlockOf } from "../../dataset/version-tree.js";
import type { Workspace } from "../../dataset/workspace.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";
import { aliasOptions, noteUse, overriddenReference } from "../alias-options.js";
import { warming } from "./prefetch.js";

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
        const { where, glob: globs } = args;
        const options = {
          writable,
          allowOther,
          preserveOwner,
          passthrough,
          transport,
          acceptLimits,
          offline,
          where,
          globs,
          deadlineMs: deadline * 1000,
        };
        if (offline && args.prefetch) throw contradictory();
        const { reference: asked, directory } = whatAndWhere(args);
        const reference = await overriddenReference(workspace, asked, args);
        const needsFound = writable || offline || args.prefetch;
        const sought = !needsFound && reference !== undefined && namesItsRemote(reference);
        const { found, unmerged } =
          reference === undefined || sought ? NOT_FOUND_HERE : await find(workspace, reference, writable);
        if (offline && found && !writable) await requireRoot(workspace, found);
        const held = args.prefetch ? await prefetched(context, found) : undefined;
        const given = { ...options, pin: held?.pin };
        const tell = async (info: MountInfo) => {
          held?.release(); // The mount has it now.
          await noteUse(workspace, args, info);
          tellMounted(context, info, { unmerged, prefetched: held?.warmed });
        };
        const what = sought ? reference : found;
        try {
          if (args.foreground) await mountForeground(workspace, what, directory, given, tell);
          else await tell(await startMount(workspace, what, directory, given));
        } finally {
          held?.release();
        }
      }),
  );
}

/** @throws {DatasetError} `bad-input` for all versions; what prefetching throws */
async function prefetched(context: Context, found: FoundVersion | undefined): Promise<HeldVersion> {
  if (found) return warming(context, "Fetching", (options) => holdVersion(context.workspace, found, options));
  const message = "Cannot fetch all versions first: --prefetch is for the mount of one";
  throw new DatasetError("bad-input", { value: "--prefetch" }, message);
}

/** @throws {DatasetError} `offline` when not even the root of the version is in the cache */
async function requireRoot(workspace: Workspace, found: FoundVersion): Promise<void> {
  const root = rootBlockOf(found.version);
  if ((await workspace.cache()).local.get(root.hash)) return;
  const name = nameOfVersion(found);
  const message = `Cannot mount "${name}" offline: it is not in the cache; varve prefetch ${name} fetches it`;
  throw new DatasetError("offline", { what: name }, message);
}

/** What mounting a version has to say of it besides. */
interface Remarks {
  unmerged: readonly string[];
  prefetched: Warmed | undefined;
}

/** Every version; or one in a remote, which the process of the mount looks for. */
const NOT_FOUND_HERE = { found: undefined, unmerged: [] };

/** A version to be written over must be in the catalog: its child will name it. */
async function find(asking: Workspace, reference: string, writable: boolean) {
  const { workspace, found } = writable
    ? { workspace: asking, found: await takeIn(asking, reference) }
    : await locateVersion(asking, reference);
  return { found, unmerged: await tellOfHeads(workspace, reference, found.dataset) };
}

function tellMounted({ output, json }: Context, info: MountInfo, remarks: Remarks): void {
  const { unmerged, prefetched } = remarks;
  if (json) output.json({ ...info, unmerged, prefetched });
  else output.data(mountedLine(info));
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
function positive(seconds: number): number {
  if (seconds > 0 && seconds < Infinity) return seconds;
  const message = "Cannot take --deadline: it must be a number of seconds above 0";
  throw new DatasetError("bad-input", { value: String(seconds) }, message);
}
