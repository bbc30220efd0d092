/**
 * What this machine remembers of files it has hashed: while device, inode, size, mtime and ctime of a file stay, its
 * SHA-256 need not be computed again. A ctime cannot be set back by a user, which an mtime can.
 */
import Database from "better-sqlite3";
import type { Sha256 } from "../content/chunk.js";

/**
 * A file changed within this time before it was read is not remembered: a second change in the same tick of the file
 * system's clock would leave the stamp as it was. Kernels tick at 4 to 10 ms; older file systems at up to 2 s.
 */
const SETTLED_MS = 2_000;

export interface Stamped {
  /** Absolute, a byte string. */
  path: string;
  stamp: string;
  sha256: Sha256;
}

export class Stamps {
  private readonly db: Database.Database;

  constructor(file: string) {
    this.db = new Database(file, { timeout: 30_000 });
    this.db.pragma("journal_mode = WAL");
    this.db.pragma("synchronous = OFF"); // losing it costs time, never truth
    // The key is directory, NUL, name: the files of one directory lie side by side.
    this.db.exec("create table if not exists stamps (key blob primary key, stamp text, sha256 blob) without rowid");
  }

  /** Stamp and hash of the files directly in a local directory, by name. */
  directory(path: string): ReadonlyMap<string, { stamp: string; sha256: Sha256 }> {
    const bounds = [`${path}\0`, `${path}\x01`].map((text) => Buffer.from(text, "latin1"));
    const rows = this.db.prepare("select * from stamps where key >= ? and key < ?").raw().iterate(...bounds);
    const found = new Map<string, { stamp: string; sha256: Sha256 }>();
    for (const [key, stamp, hash] of rows as Iterable<[Buffer, string, Buffer]>)
      found.set(key.toString("latin1", path.length + 1), { stamp, sha256: hash.toString("hex") as Sha256 });
    return found;
  }

  /** Remembers hashes of files that were settled when they were read at `readAtMs`. */
  remember(files: readonly Stamped[], readAtMs: number): void {
    const insert = this.db.prepare("insert or replace into stamps values (?, ?, ?)");
    const settled = files.filter(({ stamp }) => ctimeMsOf(stamp) < readAtMs - SETTLED_MS);
    this.db.transaction(() => {
      for (const { path, stamp, sha256 } of settled)
        insert.run(keyOf(path), stamp, Buffer.from(sha256, "hex"));
    }).immediate();
  }

  close(): void {
    this.db.close();
  }
}

function keyOf(path: string): Buffer {
  const slash = path.lastIndexOf("/");
  return Buffer.from(`${path.slice(0, slash)}\0${path.slice(slash + 1)}`, "latin1");
}

function ctimeMsOf(stamp: string): number {
  return Number(BigInt(stamp.slice(stamp.lastIndexOf(":") + 1)) / 1_000_000n);
}
