/** Mounts a version, or all: checks the folder, starts the process that will serve it, and waits until it is ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DaemonConfig, DaemonReply, MountInfo, MountOptions } from "../daemon/config.js";
import { DatasetError } from "../errors.js";
import { errorOf } from "../failure.js";
import { checkMountpoint } from "../fs/transport/kernel/mountpoint.js";
import type { Home } from "../home.js";
import { newLogFile } from "../daemon/log-files.js";
import type { FoundVersion } from "./history.js";
import { programs } from "../programs.js";
import { textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

/** Mounts a version. A process of its own serves it, detached, with none of the caller's descriptors. */
export function mountVersion(
  workspace: Workspace,
  found: FoundVersion,
  path: string,
  options: MountOptions = {},
): Promise<MountInfo> {
  return startMount(workspace, found, path, options);
}

/**
 * Mounts every version of the catalog as `project/name/label`, to be read.
 *
 * @throws {DatasetError} as `mountVersion`; `bad-input` for what cannot be had of all
 */
export function mountAll(workspace: Workspace, path: string, options: MountOptions = {}): Promise<MountInfo> {
  return startMount(workspace, undefined, path, options);
}

/**
 * What the process of a mount is told.
 *
 * @param what A version, a reference to one, or nothing for all versions.
 * @throws {DatasetError} `mountpoint-unfit`, `unsupported`, `bad-input`
 */
export async function daemonConfig(
  home: Home,
  what: FoundVersion | string | undefined,
  path: string,
  options: MountOptions,
): Promise<DaemonConfig> {
  const target = targetOf(what);
  if (options.writable && what === undefined) throw notWritable();
  if (options.writable && options.offline) throw notOffline();
  if (options.writable && typeof what === "object" && target.sought !== undefined)
    throw notTakenIn(target.sought);
  if (options.writable && (options.uid ?? options.gid) !== undefined) throw ownersAreReal();
  await checkSelection(what, options);
  const mountpoint = await checkMountpoint(path);
  if (options.writable && options.transport === "fuse-native" && !options.acceptLimits)
    throw limitsNotAccepted();
  return { home, logFile: newLogFile(home, mountpoint), mountpoint, ...target, options };
}

function targetOf(what: FoundVersion | string | undefined): Pick<DaemonConfig, "shown" | "sought"> {
  if (what === undefined) return { shown: undefined };
  if (typeof what === "string") return { shown: undefined, sought: what };
  const { dataset, version, remote } = what;
  const name = textOfDataset(dataset);
  if (remote !== undefined) return { shown: undefined, sought: `${remote}#${name}@${version.label}` };
  return { shown: { id: version.id, dataset: name, version: version.label } };
}

/** Says now what the process would say later. @throws {DatasetError} `bad-input` */
async function checkSelection(what: FoundVersion | string | undefined, options: MountOptions): Promise<void> {
  if (options.where === undefined && options.globs === undefined) return;
  const { isSelective, predicateOf } = await import("./file-metadata/select.js");
  if (isSelective(options) && (options.writable || what === undefined)) throw notSelectable();
  predicateOf(options);
}

/** Mounts a version, what a reference means, or without either all. The process that serves it looks for what is meant. */
export async function startMount(
  { home, notice }: Pick<Workspace, "home" | "notice">,
  what: FoundVersion | string | undefined,
  path: string,
  options: MountOptions,
): Promise<MountInfo> {
  const config = await daemonConfig(home, what, path, options);
  const log = openSync(config.logFile, "a", 0o600);
  try {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(programs.daemon)], {
      detached: true,
      cwd: "/",
      stdio: ["ignore", log, log, "ipc"],
      env: process.env,
    });
    return await ready(child, config, notice);
  } catch (error) {
    if (statSync(config.logFile).size === 0) rmSync(config.logFile);
    throw error;
  } finally {
    closeSync(log);
  }
}

function ready(
  child: ChildProcess,
  config: DaemonConfig,
  notice: (message: string) => void,
): Promise<MountInfo> {
  return new Promise((resolvePromise, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const message = `Cannot mount at "${config.mountpoint}": its process ended (${signal ?? code ?? "?"}); see ${config.logFile}`;
      reject(new DatasetError("mount-refused", { path: config.mountpoint }, message));
    });
    child.on("message", (reply: DaemonReply) => {
      if ("notice" in reply) {
        notice(reply.notice);
        return;
      }
      child.disconnect();
      child.unref();
      if ("ready" in reply) resolvePromise(reply.ready);
      else reject(errorOf(reply.failure));
    });
    child.send(config);
  });
}

function notWritable(): DatasetError<"bad-input"> {
  const message =
    "Cannot mount all versions writable: they never change; mount one with --writable to make the next";
  return new DatasetError("bad-input", { value: "--writable" }, message);
}

function notSelectable(): DatasetError<"bad-input"> {
  const message =
    "Cannot select files of this mount: --where and --glob are for one version, to be read; varve create --where makes a version of them";
  return new DatasetError("bad-input", { value: "--where" }, message);
}

function notTakenIn(reference: string): DatasetError<"bad-input"> {
  const message = `Cannot mount "${reference}" writable without a catalog: varve catalog rebuild enters what its remote holds`;
  return new DatasetError("bad-input", { value: reference }, message);
}

function ownersAreReal(): DatasetError<"bad-input"> {
  const message =
    "Cannot show another owner in a writable mount: it shows the owners that will be committed; leave out uid and gid";
  return new DatasetError("bad-input", { value: "uid, gid" }, message);
}

function notOffline(): DatasetError<"bad-input"> {
  const message = "Cannot mount writable with --offline: a commit needs the remote";
  return new DatasetError("bad-input", { value: "--offline" }, message);
}

function limitsNotAccepted(): DatasetError<"unsupported"> {
  const message =
    "Cannot mount writable through fuse-native without --accept-limits: it keeps times in milliseconds and takes " +
    "atime for mtime, cannot pass names that are not UTF-8, and leaves `.fuse_hidden*` files (not committed)";
  return new DatasetError("unsupported", { what: "fuse-native" }, message);
}
