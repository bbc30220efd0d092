/** Commands for mounts: mount, unmount, status, commit, discard. */
import type { Argv } from "yargs";
import { type MountInfo, nameOfShown } from "../../daemon/config.js";
import { askMount, mountAt } from "../../daemon/client.js";
import { askControl } from "../../daemon/control.js";
import { type MountState, liveMounts, removeMountState } from "../../daemon/mount-state.js";
import { isAlive } from "../../daemon/process.js";
import type { OverlayCommit } from "../../dataset/commit-overlay.js";
import { tellOfHeads } from "../../dataset/heads.js";
import { findVersion } from "../../dataset/history.js";
import { mountAll, mountVersion } from "../../dataset/mounting.js";
import { mountForeground } from "../../daemon/foreground.js";
import { abandonedOverlays } from "../../dataset/overlays.js";
import type { UploadProgress } from "../../dataset/upload.js";
import { DatasetError } from "../../errors.js";
import { findMount, MOUNT_TYPE } from "../../fs/transport/kernel/mounts.js";
import { unmountKernel } from "../../fs/transport/kernel/unmount.js";
import type { jsonOf } from "../../paths.js";
import { type Cli, type Context, run, uploadProgress } from "../context.js";
import { formatPath } from "../format.js";
import { renderTable } from "../table.js";
import { commitLine } from "./drafts.js";

export function addMountCommands(cli: Cli): void {
  for (const command of [mount, unmount, status, commit, discard]) command(cli);
}

function mount(cli: Cli): void {
  cli.command(
    "mount <reference> [directory]",
    "Mount a version as a folder, or with --all every version there is",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id; left out with --all",
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
        .example("$0 mount --all /datasets", "ls /datasets/vision/cifar10/latest"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { writable, allowOther, preserveOwner, passthrough, transport, acceptLimits, deadline } = args;
        const options = {
          writable,
          allowOther,
          preserveOwner,
          passthrough,
          transport,
          acceptLimits,
          deadlineMs: deadline * 1000,
        };
        const { reference, directory } = whatAndWhere(args);
        const found = reference === undefined ? undefined : await findVersion(workspace, reference);
        const unmerged = found ? await tellOfHeads(workspace, reference!, found.dataset) : [];
        if (args.foreground) {
          await mountForeground(workspace, found, directory, options, (info) =>
            json ? output.json({ ...info, unmerged }) : output.say(mountedLine(info)),
          );
          return;
        }
        const info = await (found
          ? mountVersion(workspace, found, directory, options)
          : mountAll(workspace, directory, options));
        if (json) output.json({ ...info, unmerged });
        else output.data(mountedLine(info));
      }),
  );
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

function unmount(cli: Cli): void {
  cli.command(
    ["unmount <directory>", "umount <directory>"],
    "Unmount; what changed in a writable mount becomes a child version",
    (yargs) =>
      commitOptions(yargs)
        .positional("directory", { type: "string", demandOption: true, describe: "The mount's folder" })
        .option("discard", { type: "boolean", default: false, describe: "Throw the changes away" })
        .option("force", {
          type: "boolean",
          default: false,
          describe: "Cut off whoever uses it; changes stay for recover",
        })
        .example("$0 unmount /data -m 'Drop blurred images'", "commit with a message"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json } = context;
        const state = mountAt(workspace.home, args.directory);
        if (!isAlive(state)) {
          await clearDead(context, state);
          return;
        }
        const { discard, force } = args;
        const given = { ...commitArguments(args), discard, force };
        if (force && !(await askStatus(state))) {
          await cutOff(state);
          return;
        }
        const committed = await askAndWait(context, args.directory, "unmount", given);
        if (json) output.json({ committed });
        else
          output.data(committed ? commitLine(committed) : `Unmounted ${state.mountpoint}; nothing to commit`);
        warnOfLeftOut(context, committed);
      }),
  );
}

function commit(cli: Cli): void {
  cli.command(
    "commit <directory>",
    "Commit what a writable mount holds now, and go on",
    (yargs) =>
      commitOptions(yargs)
        .positional("directory", { type: "string", demandOption: true, describe: "The mount's folder" })
        .example("$0 commit /data -m 'After the first pass'", "a snapshot; the mount stays"),
    (args) =>
      run(args, async (context) => {
        const committed = await askAndWait(context, args.directory, "commit", commitArguments(args));
        if (context.json) context.output.json({ committed });
        else context.output.data(committed ? commitLine(committed) : "Nothing to commit");
        warnOfLeftOut(context, committed);
      }),
  );
}

function discard(cli: Cli): void {
  cli.command(
    "discard <directory>",
    "Unmount a writable mount and throw its changes away",
    (yargs) =>
      yargs
        .positional("directory", { type: "string", demandOption: true, describe: "The mount's folder" })
        .example("$0 discard /data", "unmount /data and make no version"),
    (args) =>
      run(args, async (context) => {
        await askAndWait(context, args.directory, "discard", {});
        if (context.json) context.output.json({ committed: null });
        else context.output.data(`Unmounted ${args.directory}; its changes are gone`);
      }),
  );
}

function status(cli: Cli): void {
  cli.command(
    "status [directory]",
    "Show what is mounted, and changes left uncommitted",
    (yargs) =>
      yargs
        .positional("directory", { type: "string", describe: "One mount's folder" })
        .example("$0 status", "every mount of yours, and what is uncommitted"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json } = context;
        const states =
          args.directory === undefined
            ? liveMounts(workspace.home)
            : [mountAt(workspace.home, args.directory)];
        const mounts = await Promise.all(states.map(describe));
        const left = args.directory === undefined ? abandonedOverlays(workspace.home).map(abandoned) : [];
        const rows = [...mounts, ...left];
        if (json) output.json(rows);
        else if (rows.length === 0) output.data("Nothing is mounted");
        else output.data(statusTable(rows, output.widthColumns));
      }),
  );
}

interface StatusRow {
  mountpoint: string;
  pid: number | null;
  id: string | null;
  dataset: string | null;
  version: string | null;
  writable: boolean;
  state: string;
  overlay?: string | undefined;
  /** Label of the last live commit, with which `diff` compares. */
  committed?: string | undefined;
}

/** Longest a status waits for a mount that does not answer. */
const STATUS_WAIT_MS = 2_000;

async function describe(state: MountState): Promise<StatusRow> {
  const { mountpoint, pid, id, dataset, version, writable, overlay } = state;
  const row = { mountpoint, pid, id, dataset, version, writable, overlay };
  if (!isAlive(state)) return { ...row, pid: null, state: "dead" };
  const answer = await askStatus(state);
  return { ...row, state: answer?.phase ?? "not answering", committed: answer?.committed };
}

/** What the mount's process says it is at; undefined when it says nothing in time. */
async function askStatus({
  socket,
}: MountState): Promise<(Pick<StatusRow, "committed"> & { phase: string }) | undefined> {
  const inTime = AbortSignal.timeout(STATUS_WAIT_MS);
  try {
    const request = { operation: "status", arguments: {} } as const;
    return (await askControl(socket, request, undefined, inTime)) as { phase: string; committed?: string };
  } catch {
    return undefined;
  }
}

function abandoned(overlay: ReturnType<typeof abandonedOverlays>[number]): StatusRow {
  const { mountpoint, base, dataset, version, id, committed } = overlay;
  return {
    mountpoint,
    pid: null,
    id: base,
    dataset,
    version,
    writable: true,
    state: "uncommitted",
    overlay: id,
    committed,
  };
}

function statusTable(rows: readonly StatusRow[], widthColumns: number | undefined): string {
  const columns = [
    { title: "mounted at" },
    { title: "version" },
    { title: "mode" },
    { title: "state" },
    { title: "pid", align: "right" as const },
  ];
  const cells = rows.map((row) => [
    row.mountpoint,
    nameOfShown(row) + (row.committed === undefined ? "" : `, committed ${row.committed}`),
    row.writable ? "writable" : "read-only",
    row.state,
    String(row.pid ?? "-"),
  ]);
  return renderTable(columns, cells, { widthColumns });
}

/** The folder of a mount whose process died: cleared, if its guardian has not; the changes stay in the overlay. */
async function clearDead({ workspace, output, json }: Context, state: MountState): Promise<void> {
  const record = findMount(state.mountpoint);
  if (record?.type === MOUNT_TYPE) await unmountKernel(record, { lazy: true });
  removeMountState(workspace.home, state);
  if (state.overlay === undefined) {
    if (json) output.json({ committed: null });
    else output.data(`Cleared ${state.mountpoint}, whose process had died`);
    return;
  }
  const message = `Cleared ${state.mountpoint}, whose process had died; its changes are uncommitted: varve recover ${state.overlay} goes on with them`;
  throw new DatasetError("uncommitted", { overlay: state.overlay }, message);
}

/** Takes away the folder of a mount whose process does not answer: it finds out when it goes on, and keeps its changes. */
async function cutOff({ mountpoint, overlay }: MountState): Promise<void> {
  const record = findMount(mountpoint);
  if (record?.type === MOUNT_TYPE) await unmountKernel(record, { force: true });
  const message =
    `Cut off "${mountpoint}", whose process does not answer` +
    (overlay === undefined
      ? ""
      : `; what changed is kept: once that process is ended, varve recover ${overlay} has it`);
  throw new DatasetError("uncommitted", { overlay: overlay ?? "" }, message);
}

async function askAndWait(
  { workspace }: Context,
  directory: string,
  operation: "unmount" | "commit" | "discard",
  given: Record<string, unknown>,
): Promise<OverlayCommit | null> {
  const progress = uploadProgress("Committing");
  const report = (value: unknown) => {
    progress.onProgress(value as UploadProgress);
  };
  const answer = await askMount(workspace.home, directory, { operation, arguments: given }, report).finally(
    progress.stop,
  );
  return (answer as { committed: OverlayCommit | null }).committed;
}

/** Says what a commit left out, or took as it stood. */
export function warnOfLeftOut({ output }: Context, committed: OverlayCommit | null | undefined): void {
  const show = (path: ReturnType<typeof jsonOf>) =>
    typeof path === "string" ? path : formatPath(atob(path.bytes));
  for (const path of committed?.skipped ?? [])
    output.warn(`Left out "${show(path)}": a version cannot hold it`);
  for (const path of committed?.open ?? [])
    output.warn(`Committed "${show(path)}" as it stood: it is open for writing`);
}

function commitOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("message", {
      alias: "m",
      type: "string",
      requiresArg: true,
      describe: "Description of the child version",
    })
    .option("version", { type: "string", requiresArg: true, describe: "Its label (default: the next)" })
    .option("tag", { type: "string", array: true, requiresArg: true, describe: "Its tags" })
    .option("publish", { type: "boolean", default: false, describe: "Publish it too" })
    .option("strict", { type: "boolean", default: false, describe: "Refuse when something cannot be kept" });
}

function commitArguments(args: {
  message?: string | undefined;
  version?: string | undefined;
  tag?: string[] | undefined;
  publish: boolean;
  strict: boolean;
}) {
  const { message, version, tag: tags, publish, strict } = args;
  return { message, version, tags, publish, strict };
}
