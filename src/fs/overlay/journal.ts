/** The journal of an overlay: its tables and its transactions. One operation of the file system is one transaction. */
import type { Database, Statement } from "better-sqlite3";
import { errnoOf } from "../../errors.js";
import { FileSystemError } from "../errno.js";
import type { Ino } from "../filesystem.js";
import { FIRST_NEW_INO } from "./base.js";
import { InodeTable } from "./inode-table.js";
import { NameTable } from "./name-table.js";
import { SpanTable } from "./span-table.js";
import { XattrTable } from "./xattr-table.js";

/** Serial numbers are reserved in the journal this many at a time; a crash skips the rest, which costs nothing. */
const RESERVED_SERIALS = 1024;

/** Before the keys of facts, which stand beside those of the journal itself. */
const FACT = "fact.";

export class Journal {
  readonly inodes: InodeTable;
  readonly names: NameTable;
  readonly extents: SpanTable<[Ino]>;
  readonly clones: SpanTable<[snapshot: string, Ino]>;
  readonly xattrs: XattrTable;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  #serial: number;
  #reservedSerial: number;

  /** @param makeRoom Called when the disk is full; true when that freed some of it, and another try makes sense. */
  constructor(
    readonly db: Database,
    private readonly makeRoom: () => boolean = () => false,
  ) {
    this.inodes = new InodeTable(db);
    this.names = new NameTable(db);
    this.extents = new SpanTable(db, "extents", ["ino"]);
    this.clones = new SpanTable(db, "clones", ["snapshot", "ino"]);
    this.xattrs = new XattrTable(db);
    this.#begin = db.prepare("begin immediate");
    this.#commit = db.prepare("commit");
    this.#rollback = db.prepare("rollback");
    this.#serial = Number(this.#meta("serials") ?? FIRST_NEW_INO);
    this.#reservedSerial = this.#serial;
  }

  /**
   * Runs `work` and makes what it wrote last, or undoes it. `work` may run twice, so it changes nothing but rows.
   *
   * @throws {FileSystemError} `ENOSPC`, `EIO`
   */
  transaction(work: () => void): void {
    try {
      this.#attempt(work);
    } catch (error) {
      if (!isFull(error)) throw asFileSystemError(error);
      if (!this.makeRoom()) throw new FileSystemError("ENOSPC");
      this.#retry(work);
    }
  }

  /** A number never given before, from 2^40: an inode's, or the place of a name. Not within a transaction. */
  nextSerial(): number {
    if (this.#serial === this.#reservedSerial) {
      const reserved = this.#serial + RESERVED_SERIALS;
      this.transaction(() => this.#setMeta("serials", String(reserved)));
      this.#reservedSerial = reserved;
    }
    return this.#serial++;
  }

  /** What the overlay's owner noted about it. */
  fact(key: string): string | undefined {
    return this.#meta(FACT + key);
  }

  setFact(key: string, value: string): void {
    this.transaction(() => this.#setMeta(FACT + key, value));
  }

  close(): void {
    this.db.close();
  }

  #meta(key: string): string | undefined {
    return this.db.prepare<[string], string>("select value from meta where key = ?").pluck().get(key);
  }

  #setMeta(key: string, value: string): void {
    this.db.prepare("replace into meta values (?, ?)").run(key, value);
  }

  #retry(work: () => void): void {
    try {
      this.#attempt(work);
    } catch (error) {
      throw isFull(error) ? new FileSystemError("ENOSPC") : asFileSystemError(error);
    }
  }

  #attempt(work: () => void): void {
    try {
      this.#begin.run();
      work();
      this.#commit.run();
    } catch (error) {
      if (this.db.inTransaction) this.#rollback.run();
      this.inodes.rolledBack();
      throw error;
    }
    this.inodes.committed();
  }
}

function isFull(error: unknown): boolean {
  return errnoOf(error) === "SQLITE_FULL";
}

/** What SQLite throws has no errno; whatever it was, the journal could not be written. */
function asFileSystemError(error: unknown): unknown {
  return errnoOf(error)?.startsWith("SQLITE_") ? new FileSystemError("EIO", String(error)) : error;
}
