/** Mounts a version: checks the folder, starts the process that will serve it, and waits until it is ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DaemonConfig, DaemonReply, MountInfo, MountOptions } from "../daemon/config.js";
import { DatasetError } from "../errors.js";
import { errorOf } from "../fs/messages.js";
import { checkMountpoint } from "../fs/transport/kernel/mountpoint.js";
import { type Home, ensureDir } from "../home.js";
import type { FoundVersion } from "./history.js";
import { programs } from "../programs.js";
import { textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

/** Starts the mount's process, detached, with none of the caller's descriptors. */
export async function mountVersion(
  workspace: Workspace,
  found: FoundVersion,
  path: string,
  options: MountOptions = {},
): Promise<MountInfo> {
  const config = await daemonConfig(workspace.home, found, path, options);
  const log = openSync(config.logFile, "a", 0o600);
  try {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(programs.daemon)], {
      detached: true,
      cwd: "/",
      stdio: ["ignore", log, log, "ipc"],
      env: process.env,
    });
    return await ready(child, config);
  } finally {
    closeSync(log);
  }
}

/** What the process of a mount is told. @throws {DatasetError} `mountpoint-unfit`, `unsupported` */
export async function daemonConfig(
  home: Home,
  found: FoundVersion,
  path: string,
  options: MountOptions,
): Promise<DaemonConfig> {
  const mountpoint = await checkMountpoint(path);
  if (options.writable && options.transport === "fuse-native" && !options.acceptLimits)
    throw limitsNotAccepted();
  const logs = ensureDir(home.logsDir);
  const logFile = join(logs, `mount-${basename(mountpoint).replaceAll(/[^\w.-]/g, "_")}-${Date.now()}.log`);
  return {
    home,
    logFile,
    mountpoint,
    versionId: found.version.id,
    dataset: textOfDataset(found.dataset),
    version: found.version.label,
    options,
  };
}

function ready(child: ChildProcess, config: DaemonConfig): Promise<MountInfo> {
  return new Promise((resolvePromise, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const message = `Cannot mount at "${config.mountpoint}": its process ended (${signal ?? code ?? "?"}); see ${config.logFile}`;
      reject(new DatasetError("mount-refused", { path: config.mountpoint }, message));
    });
    child.once("message", (reply: DaemonReply) => {
      child.disconnect();
      child.unref();
      if ("ready" in reply) resolvePromise(reply.ready);
      else reject(errorOf(reply.failure));
    });
    child.send(config);
  });
}

function limitsNotAccepted(): DatasetError<"unsupported"> {
  const message =
    "Cannot mount writable through fuse-native without --accept-limits: it keeps times in milliseconds and takes " +
    "atime for mtime, cannot pass names that are not UTF-8, and leaves `.fuse_hidden*` files (not committed)";
  return new DatasetError("unsupported", { what: "fuse-native" }, message);
}
