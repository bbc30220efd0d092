/** Commands that end or commit a mount: unmount, commit, discard. */
import type { Argv } from "yargs";
import { askMount, mountAt } from "../../daemon/client.js";
import { type MountState, removeMountState } from "../../daemon/mount-state.js";
import { isAlive } from "../../daemon/process.js";
import type { OverlayCommit } from "../../dataset/commit-overlay.js";
import type { UploadProgress } from "../../dataset/upload.js";
import { DatasetError } from "../../errors.js";
import { findMount, MOUNT_TYPE } from "../../fs/transport/kernel/mounts.js";
import { unmountKernel } from "../../fs/transport/kernel/unmount.js";
import type { jsonOf } from "../../paths.js";
import { type Cli, type Context, run } from "../context.js";
import { formatPath } from "../format.js";
import { uploadOptions, uploadOptionsOf, uploadProgress } from "../upload-options.js";
import { commitLine } from "./drafts.js";
import { addStatusCommand, askStatus } from "./status.js";

export function addMountCommands(cli: Cli): void {
  for (const command of [unmount, addStatusCommand, commit, discard]) command(cli);
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
          await cutOff(context, state);
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
async function cutOff({ output, json }: Context, { mountpoint, overlay }: MountState): Promise<void> {
  const record = findMount(mountpoint);
  if (record?.type === MOUNT_TYPE) await unmountKernel(record, { force: true });
  const done = `Cut off "${mountpoint}", whose process does not answer`;
  if (overlay === undefined) {
    if (json) output.json({ committed: null });
    else output.data(done);
    return;
  }
  const message = `${done}; what changed is kept: once that process is ended, varve recover ${overlay} has it`;
  throw new DatasetError("uncommitted", { overlay }, message);
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
  return uploadOptions(yargs)
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

function commitArguments(
  args: {
    message?: string | undefined;
    version?: string | undefined;
    tag?: string[] | undefined;
    publish: boolean;
    strict: boolean;
  } & Parameters<typeof uploadOptionsOf>[0],
) {
  const { message, version, tag: tags, publish, strict } = args;
  return { message, version, tags, publish, strict, ...uploadOptionsOf(args) };
}
