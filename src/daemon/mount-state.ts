/** The mounts of this user that run: one small file each, written by the mount's process, and where its socket is. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { type Home, ensureDir } from "../home.js";
import { digestOf } from "./mount-digest.js";
import { isAlive } from "./process.js";
import { namesIn, readStateFile, refuseNewerState, writeStateFile } from "./state-file.js";

export const MOUNT_FORMAT = 1;

const schema = z.object({
  format: z.literal(MOUNT_FORMAT),
  mountpoint: z.string(),
  pid: z.number().int(),
  startTicks: z.number(),
  /** Null, as the next two, where every version is mounted. */
  id: z.string().nullable(),
  dataset: z.string().nullable(),
  version: z.string().nullable(),
  writable: z.boolean(),
  /** Id of the overlay of a writable mount. */
  overlay: z.string().optional(),
  transport: z.string(),
  socket: z.string(),
  startedAtMs: z.number(),
  logFile: z.string().optional(),
  /** Where its metrics are served, where they are. */
  metrics: z.string().optional(),
});

export type MountState = z.infer<typeof schema>;

/** sun_path holds 108 bytes with its NUL. Source: https://man7.org/linux/man-pages/man7/unix.7.html */
const SOCKET_PATH_MAX_BYTES = 107;

export function writeMountState(home: Home, state: MountState): void {
  writeStateFile(stateFileOf(home, state.mountpoint), state);
}

/** Forgets a mount; only that of this process, since another may have taken its place. */
export function removeMountState(home: Home, state: MountState): void {
  if (readMountState(home, state.mountpoint)?.pid === state.pid)
    rmSync(stateFileOf(home, state.mountpoint), { force: true });
  rmSync(state.socket, { force: true });
}

/** What is written of the mount at a folder, whether or not its process still lives. */
export function readMountState(home: Home, mountpoint: string): MountState | undefined {
  return readStateFile(stateFileOf(home, mountpoint), schema);
}

/** Refuses a mount that a newer varve serves. @throws {DatasetError} `format-newer` */
export function refuseNewerMount(home: Home, mountpoint: string): void {
  refuseNewerState(stateFileOf(home, mountpoint), MOUNT_FORMAT, `state of the mount at "${mountpoint}"`);
}

/** Every mount that is written of, whether or not its process still lives. */
export function writtenMounts(home: Home): MountState[] {
  const names = namesIn(home.mountsDir).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => readStateFile(join(home.mountsDir, name), schema) ?? []);
}

/** Every mount whose process lives. Files of dead ones are removed on the way. */
export function liveMounts(home: Home): MountState[] {
  return namesIn(home.mountsDir)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      const state = readStateFile(join(home.mountsDir, name), schema);
      if (state && isAlive(state)) return [state];
      if (isNewer(join(home.mountsDir, name))) return [];
      rmSync(join(home.mountsDir, name), { force: true });
      return [];
    });
}

/** A socket path that fits; a home too deep for one has its sockets in the temp folder, under the user's id. */
export function socketPathOf(home: Home, mountpoint: string): string {
  const name = `${digestOf(mountpoint)}-${process.pid}.sock`;
  const path = join(ensureDir(home.mountsDir), name);
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) return path;
  return join(ensureDir(join(tmpdir(), `varve-${process.getuid?.() ?? 0}`)), name);
}

function stateFileOf(home: Home, mountpoint: string): string {
  return join(ensureDir(home.mountsDir), `${digestOf(mountpoint)}.json`);
}

/** One that a newer varve wrote is not ours to remove. */
function isNewer(path: string): boolean {
  try {
    refuseNewerState(path, MOUNT_FORMAT, path);
    return false;
  } catch {
    return true;
  }
}
