/**
 * The read-only copies that varve keeps for this user below the cache: a folder for each, with what the system said of
 * its files, its state, and who uses it. Which go when room is needed is decided here; what they hold is `make-copy.ts`.
 */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { makeDirIn, openFolder } from "../../cache/folder.js";
import { namesIn, readStateFile, writeStateFile } from "../../daemon/state-file.js";
import { DatasetError } from "../../errors.js";
import { tryLock } from "../../file-lock.js";
import { type Home, ensureDir } from "../../home.js";
import { bytesOfText } from "../../paths.js";
import { KiB } from "../../units.js";
import { liveUsers } from "./copy-users.js";
import { takeAway } from "./take-away.js";

const schema = z.object({
  format: z.literal(1),
  /** Of the version. */
  id: z.string(),
  reference: z.string(),
  treeDigest: z.string(),
  /** `making`: it was begun, and is not whole yet. */
  state: z.enum(["making", "whole"]),
  /** Files are trusted to be as they were noted until the machine starts anew: they are not synced. */
  boot: z.string(),
  files: z.number(),
  bytes: z.number(),
  usedAtMs: z.number(),
});

export type KeptState = z.infer<typeof schema>;

/** Where one copy lies. */
export interface KeptCopy {
  key: string;
  folder: string;
  /** What is handed out. */
  files: string;
  facts: string;
  users: string;
  lock: string;
}

export interface ListedCopy extends KeptState {
  key: string;
  path: string;
  /** Processes that use it. */
  pids: number[];
}

const STATE_FILE = "copy.json";
/** What a file takes of the disk beyond its bytes, at most: most file systems give whole blocks. */
const FILE_BYTES = 4 * KiB;

export function keptCopy(home: Home, key: string): KeptCopy {
  const folder = join(areaOf(home), key);
  return {
    key,
    folder,
    files: join(folder, "files"),
    facts: join(folder, "facts"),
    users: join(folder, "users"),
    lock: `${folder}.lock`,
  };
}

export function readKept({ folder }: KeptCopy): KeptState | undefined {
  return readStateFile(join(folder, STATE_FILE), schema);
}

export function writeKept({ folder }: KeptCopy, state: KeptState): void {
  writeStateFile(join(ensureDir(folder), STATE_FILE), state);
}

/** All copies of this user, the one used last first. */
export function listCopies(home: Home): ListedCopy[] {
  const copies = keysIn(home).flatMap((key) => {
    const kept = keptCopy(home, key);
    const state = readKept(kept);
    if (state) return [{ ...state, key, path: kept.files, pids: liveUsers(kept.users) }];
    dropCopy(home, key); // What a removal that was cut off has left.
    return [];
  });
  return copies.sort((a, b) => b.usedAtMs - a.usedAtMs);
}

/** What a copy takes of the disk, about. */
export function takenBytes({ files, bytes }: Pick<KeptState, "files" | "bytes">): number {
  return bytes + files * FILE_BYTES;
}

/** Removes a copy that nobody uses; gives whether it did. */
export function dropCopy(home: Home, key: string): boolean {
  const kept = keptCopy(home, key);
  const lock = tryLock(kept.lock);
  if (!lock) return false;
  try {
    if (liveUsers(kept.users).length > 0) return false;
    removeKept(kept);
    return true;
  } finally {
    lock.release();
  }
}

/**
 * Makes room for a copy: those used least recently go, but for those in use.
 *
 * @throws {DatasetError} `cache-full` when that is not enough
 */
export function makeRoom(home: Home, key: string, asked: Pick<KeptState, "files" | "bytes">): void {
  const neededBytes = takenBytes(asked);
  const others = listCopies(home).filter((copy) => copy.key !== key);
  let heldBytes = others.reduce((sum, copy) => sum + takenBytes(copy), 0);
  for (const copy of others.toReversed()) {
    if (heldBytes + neededBytes <= home.copiesBytes) return;
    if (dropCopy(home, copy.key)) heldBytes -= takenBytes(copy);
  }
  if (heldBytes + neededBytes > home.copiesBytes) throw areaFull(neededBytes, home.copiesBytes - heldBytes);
}

/** The state first: what has none is removed by whoever looks next. */
function removeKept({ folder, lock }: KeptCopy): void {
  const device = statSync(folder, { throwIfNoEntry: false })?.dev;
  rmSync(join(folder, STATE_FILE), { force: true });
  if (device !== undefined) takeAway(bytesOfText(folder), device);
  rmSync(lock, { force: true });
}

/** A folder for each user: a cache may be shared. */
function areaOf(home: Home): string {
  const cache = openFolder(home.cacheDir);
  return ensureDir(join(makeDirIn(cache, join(home.cacheDir, "copies")), String(process.geteuid?.() ?? 0)));
}

function keysIn(home: Home): string[] {
  const area = areaOf(home);
  return namesIn(area).filter((name) => !name.endsWith(".lock"));
}

function areaFull(neededBytes: number, roomBytes: number): DatasetError<"cache-full"> {
  const message = `Cannot keep a copy of ${neededBytes} bytes: there is room for ${Math.max(0, roomBytes)} beside the copies in use; VARVE_COPIES_SIZE sets more, varve copies lists them, varve get REF DIR makes one of your own`;
  return new DatasetError("cache-full", { neededBytes, roomBytes }, message);
}
