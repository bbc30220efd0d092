/**
 * Processes that use a cache folder for long, as mounts do. Each has a file there that says who it is, and keeps it
 * locked while it lives: the lock is gone with the process, however that ends, and is seen from other containers too.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { errnoOf } from "../errors.js";
import { isLocked, tryLock } from "../file-lock.js";
import { type CacheFolder, makeDirIn } from "./folder.js";
import type { PinIndex } from "./pin-index.js";

export interface Holder {
  readonly id: string;
  /** Twice is the same as once. */
  release(): void;
}

/** A holder that lives, and what it says of itself. */
export interface LiveHolder {
  id: string;
  facts: unknown;
}

const NAME = /^[0-9a-f-]{36}$/;

/** Makes this process a holder of the cache until it ends or releases. */
export function holdFolder(folder: CacheFolder, facts: object): Holder {
  const id = randomUUID();
  const path = join(makeDirIn(folder, folder.holdersDir), id);
  const lock = tryLock(`${path}.new`)!; // Nobody else knows the name.
  chmodSync(`${path}.new`, folder.fileMode);
  writeFileSync(`${path}.new`, JSON.stringify(facts));
  renameSync(`${path}.new`, path); // Locked before it can be seen.
  const release = () => {
    rmSync(path, { force: true });
    lock.release();
  };
  return { id, release };
}

/** All holders that live; the files of others are removed on the way. */
export function liveHolders({ holdersDir }: CacheFolder): LiveHolder[] {
  return namesIn(holdersDir).flatMap((id) => {
    const path = join(holdersDir, id);
    if (isLocked(path)) return [{ id, facts: factsIn(path) }];
    rmSync(path, { force: true });
    return [];
  });
}

/** Takes away the pins of holders that live no more; gives those that do. */
export function dropDeadPins(folder: CacheFolder, pins: PinIndex): LiveHolder[] {
  const holders = liveHolders(folder);
  const alive = new Set(holders.map(({ id }) => id));
  for (const { id, holder } of pins.list()) if (holder !== null && !alive.has(holder)) pins.drop(id);
  return holders;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => NAME.test(name));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function factsIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return {};
  }
}
