/**
 * What this machine remembers of files it has hashed: while device, inode, size, mtime and ctime of a file stay, its
 * SHA-256 need not be computed again. A ctime cannot be set back by a user, which an mtime can.
 */
import { rmSync } from "node:fs";
import Database from "better-sqlite3";
import type { Sha256 } from "../content/chunk.js";
import { errnoOf } from "../errors.js";
import { ensureFile } from "../home.js";

/**
 * A file changed within this time before it was read is not remembered: a second change in the same tick of the file
 * system's clock would leave the stamp as it was. Kernels tick at 4 to 10 ms; older file systems at up to 2 s.
 */
const SETTLED_MS = 2_000;

/** Text throughout, byte strings too: a hundred thousand are read in one sync, and a Buffer costs more than a string. */
const SCHEMA = `
  create table if not exists hashes (
    directory text,
    name text,
    stamp text,
    sha256 text,
    has_xattrs integer,
    primary key (directory, name)
  ) without rowid
`;

export interface Stamped {
  /** Absolute, a byte string. */
  path: string;
  stamp: string;
  sha256: Sha256;
  /** Extended attributes change the ctime too; so where there were none there are none. */
  hasXattrs: boolean;
}

/** What is remembered of one file. */
export type Remembered = Omit<Stamped, "path">;

export class Stamps {
  private readonly db: Database.Database;
  private readonly select: Database.Statement;

  /** Where the file cannot be used, nothing is remembered beyond this process; a damaged one is begun anew. */
  constructor(file: string) {
    this.db = openOrForget(file);
    this.select = this.db
      .prepare("select name, stamp, sha256, has_xattrs from hashes where directory = ?")
      .raw();
  }

  /** Stamp and hash of the files directly in a local directory, by name. */
  directory(path: string): ReadonlyMap<string, Remembered> {
    const rows = unlessFailing(() => this.select.all(path) as StampRow[]) ?? [];
    return new Map(
      rows.map(([name, stamp, sha256, xattrs]) => [name, { stamp, sha256, hasXattrs: xattrs !== 0 }]),
    );
  }

  /** Files that had a content when they were hashed. Looks through all that is remembered. */
  pathsOf(sha256: Sha256): string[] {
    const rows = this.db.prepare("select directory || '/' || name from hashes where sha256 = ?").pluck();
    return rows.all(sha256) as string[];
  }

  /** Remembers hashes of files that were settled when they were read at `readAtMs`. */
  remember(files: readonly Stamped[], readAtMs: number): void {
    const insert = this.db.prepare("insert or replace into hashes values (?, ?, ?, ?, ?)");
    const settled = files.filter(({ stamp }) => ctimeMsOf(stamp) < readAtMs - SETTLED_MS);
    const insertAll = this.db.transaction(() => {
      for (const { path, stamp, sha256, hasXattrs } of settled) {
        const slash = path.lastIndexOf("/");
        insert.run(path.slice(0, slash), path.slice(slash + 1), stamp, sha256, hasXattrs ? 1 : 0);
      }
    });
    unlessFailing(() => insertAll.immediate());
  }

  close(): void {
    this.db.close();
  }
}

type StampRow = [name: string, stamp: string, sha256: Sha256, xattrs: number];

function openOrForget(file: string): Database.Database {
  try {
    return open(ensureFile(file));
  } catch (error) {
    if (!isOfFile(error)) throw error;
    if (!/^SQLITE_(NOTADB|CORRUPT)/.test(errnoOf(error) ?? "")) return open(":memory:");
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    return open(ensureFile(file));
  }
}

function open(file: string): Database.Database {
  const db = new Database(file, { timeout: 30_000 });
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = OFF"); // losing it costs time, never truth
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A disk that is full, or fails: then files are hashed that need not have been. */
function unlessFailing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isOfFile(error)) return undefined;
    throw error;
  }
}

function isOfFile(error: unknown): boolean {
  return /^(SQLITE_|E[A-Z]+$)/.test(errnoOf(error) ?? "");
}

function ctimeMsOf(stamp: string): number {
  return Number(BigInt(stamp.slice(stamp.lastIndexOf(":") + 1)) / 1_000_000n);
}
