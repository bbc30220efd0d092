/** A mount served from the calling process: for containers, where that process is what is watched. */
import { MountProcess } from "../daemon.js";
import type { FoundVersion } from "../dataset/history.js";
import { daemonConfig } from "../dataset/mounting.js";
import type { Workspace } from "../dataset/workspace.js";
import { type MountInfo, type MountOptions, nameOfShown } from "./config.js";
import { ServiceManager } from "./service-manager.js";

/**
 * Serves a version, or without one all there are, until the mount ends, by whatever unmounts it or by SIGTERM or SIGINT.
 *
 * @throws what kept it from committing
 */
export async function mountForeground(
  workspace: Workspace,
  what: FoundVersion | string | undefined,
  path: string,
  options: MountOptions,
  onReady: (info: MountInfo) => Promise<void>,
): Promise<void> {
  const mount = await MountProcess.start(
    await daemonConfig(workspace.home, what, path, options),
    workspace.notice,
  );
  const manager = new ServiceManager();
  const terminate = () => {
    manager.stopping();
    void mount.terminate();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, terminate);
  await onReady(mount.info);
  manager.ready(`Serving ${nameOfShown(mount.info)} at ${mount.info.mountpoint}`);
  const { failure } = await mount.ended;
  await mount.close();
  manager.end();
  if (failure !== undefined) throw mount.uncommitted(failure);
}
