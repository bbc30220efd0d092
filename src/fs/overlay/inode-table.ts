/**
 * The rows of inodes that differ from the base, with those in use kept in memory. A file being written may be ahead
 * of its row in size and times: it is then marked `lagging` in the journal, and what it is lies in memory and, for
 * whoever opens the journal after a crash, in its data file (`settle.ts`).
 */
import type { Database, Statement } from "better-sqlite3";
import { LRUCache } from "lru-cache";
import { bufferOf } from "../../paths.js";
import type { Ino } from "../filesystem.js";
import { FIRST_NEW_INO } from "./base.js";
import { BitSet } from "./bit-set.js";
import { type Inode, InodeFlag } from "./inode.js";

/** Rows kept in memory, about 300 bytes each. */
const CACHED_ROWS = 16_384;

interface InodeRow extends Omit<Inode, "target" | "parent" | "base"> {
  target: Buffer | null;
  parent: Ino | null;
  base: number | null;
}

const COLUMNS = `ino, mode, nlink, uid, gid, rdev, size_bytes as sizeBytes, mtime_sec as mtimeSec,
  mtime_nsec as mtimeNsec, ctime_sec as ctimeSec, ctime_nsec as ctimeNsec, target, parent, base_ordinal as base,
  base_size_bytes as baseSizeBytes, flags, coalesce(atime_sec, mtime_sec) as atimeSec,
  coalesce(atime_nsec, mtime_nsec) as atimeNsec`;

const TOTALS = `with local as (
    select ino, base_ordinal, size_bytes,
      (select sum(end_bytes - start_bytes) from extents e where e.ino = i.ino) as extent_bytes
    from inodes i where mode & 0xf000 = 0x8000 and nlink > 0 -- S_IFMT, S_IFREG
  )
  select count(*) as files, sum(iif(base_ordinal is null, size_bytes, extent_bytes)) as bytes
  from local where base_ordinal is null or extent_bytes is not null`;

export class InodeTable {
  readonly #get: Statement<[Ino], InodeRow>;
  readonly #put: Statement;
  readonly #delete: Statement<[Ino]>;
  readonly #rows = new LRUCache<Ino, Inode>({ max: CACHED_ROWS });
  /** Base inodes that may have a row; all others need no query. */
  readonly #touched = new BitSet();
  readonly #lagging = new Map<Ino, Inode>();
  /** What the running transaction has saved: seen by it, and by nobody else if it is rolled back. */
  readonly #saved = new Map<Ino, Inode>();

  constructor(private readonly db: Database) {
    this.#get = db.prepare(`select ${COLUMNS} from inodes where ino = ?`);
    this.#put = db.prepare(
      `replace into inodes values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = db.prepare("delete from inodes where ino = ?");
    for (const ino of this.#all("ino < ?", FIRST_NEW_INO)) this.#touched.add(ino);
  }

  /** The inode if it differs from the base. */
  get(ino: Ino): Inode | undefined {
    if (ino < FIRST_NEW_INO && !this.#touched.has(ino)) return undefined;
    return this.#saved.get(ino) ?? this.#lagging.get(ino) ?? this.#rows.get(ino) ?? this.#read(ino);
  }

  /** Writes the row, which then lags behind no more. Within a transaction. */
  save(inode: Inode): void {
    this.#write(inode, inode.flags & ~InodeFlag.lagging);
    this.#saved.set(inode.ino, inode);
  }

  /** Writes the row, and in it that it will lag behind from now on; `advance` follows. Within a transaction. */
  saveLagging(inode: Inode): void {
    this.#write(inode, inode.flags | InodeFlag.lagging);
    this.#saved.set(inode.ino, inode);
  }

  /** Within a transaction. */
  delete(ino: Ino): void {
    this.#delete.run(ino);
    this.#saved.delete(ino);
  }

  /** Forgets what memory holds of an inode deleted in a transaction that has been committed. */
  forget(ino: Ino): void {
    this.#rows.delete(ino);
    this.#lagging.delete(ino);
  }

  /** The inode while it is ahead of its row. */
  lagging(ino: Ino): Inode | undefined {
    return this.#lagging.get(ino);
  }

  allLagging(): Inode[] {
    return [...this.#lagging.values()];
  }

  /** What a file is now, ahead of its row, which is marked so; in memory alone. */
  advance(inode: Inode): void {
    this.#lagging.set(inode.ino, inode);
  }

  all(): Ino[] {
    return this.#all("ino >= ?", 0);
  }

  orphans(): Ino[] {
    return this.#all("nlink = ?", 0);
  }

  /** Inodes that have a flag, and a name. Reads the whole table. */
  withFlag(flag: number): Ino[] {
    return this.#all("nlink > 0 and flags & ? <> 0", flag);
  }

  /** Base inodes that have a row, in order. */
  ofBase(): Ino[] {
    return this.#all("ino < ? order by ino", FIRST_NEW_INO);
  }

  get isEmpty(): boolean {
    return this.db.prepare("select 1 from inodes limit 1").get() === undefined;
  }

  /** Files with local bytes, or made here, that have a name; and how many of those bytes show. */
  totals(): { files: number; bytes: number } {
    const row = this.db.prepare<[], { files: number; bytes: number | null }>(TOTALS).get();
    return { files: row?.files ?? 0, bytes: row?.bytes ?? 0 };
  }

  committed(): void {
    for (const [ino, inode] of this.#saved) {
      this.#rows.set(ino, inode);
      this.#lagging.delete(ino);
    }
    this.#saved.clear();
  }

  rolledBack(): void {
    this.#saved.clear();
  }

  #write(inode: Inode, flags: number): void {
    const { ino, mode, nlink, uid, gid, rdev, sizeBytes, mtimeSec, mtimeNsec, ctimeSec, ctimeNsec } = inode;
    const target = inode.target === undefined ? null : bufferOf(inode.target);
    const owner = [mode, nlink, uid, gid, rdev];
    const times = [mtimeSec, mtimeNsec, ctimeSec, ctimeNsec];
    const content = [inode.base ?? null, inode.baseSizeBytes, flags, inode.atimeSec, inode.atimeNsec];
    this.#put.run(ino, ...owner, sizeBytes, ...times, target, inode.parent ?? null, ...content);
    if (ino < FIRST_NEW_INO) this.#touched.add(ino);
  }

  #read(ino: Ino): Inode | undefined {
    const row = this.#get.get(ino);
    if (!row) return undefined;
    const inode = inodeOf(row);
    this.#rows.set(ino, inode);
    return inode;
  }

  #all(condition: string, value: number): Ino[] {
    return this.db.prepare<[number], Ino>(`select ino from inodes where ${condition}`).pluck().all(value);
  }
}

function inodeOf({ target, parent, base, ...rest }: InodeRow): Inode {
  return {
    ...rest,
    target: target?.toString("latin1"),
    parent: parent ?? undefined,
    base: base ?? undefined,
  };
}
