/** Where the workloads run: the local disk, mounts of varve, a bare loop. Each can be made anew, unknown to the kernel. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readMountState } from "../../src/daemon/mount-state.js";
import { homeOf } from "../../src/home.js";

const CLI = fileURLToPath(new URL("../../varve/cli.js", import.meta.url));
const BARE_LOOP = fileURLToPath(new URL("bare-loop.js", import.meta.url));

/** The dataset that holds the folder. */
const DATASET = "bench/files";

/** A folder with the same files in each place; in the bare loop, only the large one. */
export interface Place {
  readonly name: string;
  readonly path: string;
  readonly shows: "all" | "large";
  readonly writable: boolean;
  /** The process that serves it; 0 where none does. */
  pid: number;
  /** Takes it away if it is there, and makes it again: what was written to it is gone, and no page of it is cached. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** The folder itself. */
export function localDisk(path: string): Place {
  const nothing = async () => undefined;
  return { name: "local disk", path, shows: "all", writable: true, pid: 0, renew: nothing, close: nothing };
}

/** Runs the built command line with its state below `work`; gives what it printed. */
export function varve(work: string, ...args: string[]): string {
  return execFileSync(process.execPath, [CLI, ...args], {
    encoding: "utf8",
    env: { ...process.env, VARVE_HOME: homeIn(work), VARVE_REMOTE: join(work, "remote") },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Makes the version that the mounts show. */
export function sync(work: string, folder: string): void {
  varve(work, "sync", folder, DATASET);
}

/** A mount of the version. @param options Of `varve mount`. */
export function mountOfVarve(work: string, name: string, ...options: string[]): Place {
  const path = join(work, name.replaceAll(" ", "-"));
  mkdirSync(path);
  const writable = options.includes("--writable");
  const close = async () => {
    if (place.pid > 0) varve(work, "unmount", path, ...(writable ? ["--discard"] : []));
    place.pid = 0;
  };
  const renew = async () => {
    await close();
    varve(work, "mount", DATASET, path, ...options);
    place.pid = readMountState(homeOf({ VARVE_HOME: homeIn(work) }), path)!.pid;
  };
  const place: Place = { name, path, shows: "all", writable, pid: 0, renew, close };
  return place;
}

/** One file, served by `bare-loop.ts`. */
export function bareLoop(work: string, file: string): Place {
  const path = join(work, "bare");
  mkdirSync(path);
  let server: ChildProcess | undefined;
  const close = async () => {
    if (!server) return;
    const ended = once(server, "exit");
    spawnSync("umount", [path]);
    await ended;
    server = undefined;
  };
  const renew = async () => {
    await close();
    server = spawn(process.execPath, [BARE_LOOP, file, path], { stdio: ["ignore", "pipe", "inherit"] });
    await once(server.stdout!, "data");
    place.pid = server.pid!;
  };
  const place: Place = { name: "bare loop", path, shows: "large", writable: false, pid: 0, renew, close };
  return place;
}

function homeIn(work: string): string {
  return join(work, "home");
}
