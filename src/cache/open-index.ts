/**
 * Opening `index.db`: made where there is none, moved aside where it is damaged, refused where a newer varve made it.
 * A cache can lose its index without harm: the blocks are fetched again.
 */
import Database from "better-sqlite3";
import { closeSync, existsSync, fchmodSync, openSync, renameSync, rmSync } from "node:fs";

import { errnoOf } from "../errors.js";
import { newerFormat } from "../format.js";
import type { CacheFolder } from "./folder.js";
import { isDamage } from "./index-damage.js";
import { CacheIndex, SCHEMA_STEPS } from "./index-db.js";

/** Longest one process waits for another's transaction; those take milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;
/** Switching to WAL fails at once while another process opens the same new index; so it is tried again. */
const OPEN_ATTEMPTS = 40;
const OPEN_PAUSE_MS = 25;

/**
 * Opens the index of a folder.
 *
 * @param setAside Told when a damaged index was moved to `index.db.damaged` and a new one begun.
 * @throws {DatasetError} `format-newer`; what SQLite and the system throw when there can be no index here
 */
export function openIndex(folder: CacheFolder, setAside: (cause: unknown) => void): CacheIndex {
  try {
    return connect(folder);
  } catch (error) {
    if (!isDamage(error)) throw error;
    moveAside(folder.indexPath);
    setAside(error);
    return connect(folder);
  }
}

/** Whether another process holds the index for longer than we wait. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(errnoOf(error) ?? "");
}

/** SQLite's own files go too: who still has the old index open must not share them with users of the next. */
export function moveAside(indexPath: string): void {
  if (existsSync(indexPath)) renameSync(indexPath, `${indexPath}.damaged`);
  for (const suffix of ["-wal", "-shm"]) rmSync(indexPath + suffix, { force: true });
}

function connect(folder: CacheFolder): CacheIndex {
  makeFile(folder);
  for (let attempt = 1; ; attempt++) {
    try {
      return prepare(folder.indexPath);
    } catch (error) {
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_PAUSE_MS);
    }
  }
}

/** SQLite gives its log the permissions of the database, so those of a shared cache are set before it looks. */
function makeFile({ indexPath, fileMode }: CacheFolder): void {
  try {
    const fd = openSync(indexPath, "wx", fileMode);
    fchmodSync(fd, fileMode);
    closeSync(fd);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

function prepare(indexPath: string): CacheIndex {
  const db = new Database(indexPath, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma("journal_mode = wal");
    db.pragma("synchronous = normal");
    db.pragma("foreign_keys = on");
    db.transaction(() => makeSchema(db, indexPath)).immediate();
    return new CacheIndex(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function makeSchema(db: Database.Database, indexPath: string): void {
  const version = db.pragma("user_version", { simple: true }) as number;
  if (version > SCHEMA_STEPS.length)
    throw newerFormat(`cache index "${indexPath}"`, version, SCHEMA_STEPS.length, indexPath);
  if (version === SCHEMA_STEPS.length) return;
  for (const step of SCHEMA_STEPS.slice(version)) db.exec(step);
  if (version === 0) db.prepare("insert into upkeep (born_ms, swept_ms) values (?, 0)").run(Date.now());
  db.pragma(`user_version = ${SCHEMA_STEPS.length}`);
}
