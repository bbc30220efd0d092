/**
 * The part of `index.db` that tells which bytes of a whole's file are there and were checked: one row for each part,
 * added only after its bytes were written. A whole may have several files while processes fill it side by side.
 */
import type { Database, Statement } from "better-sqlite3";

import type { Sha256 } from "../content/chunk.js";
import { type ForgottenFile, evict } from "./evict.js";
import type { FileFacts } from "./index-db.js";

export const WHOLE_SCHEMA = `
create table whole (
  file integer primary key references file (id) on delete cascade, -- its length is the whole's from the start
  id blob not null,                     -- SHA-256 of the hashes of its chunks in order, 32 bytes
  is_complete integer not null          -- 1: every byte was written and checked, and nobody writes to it any more
) strict;
create index whole_by_id on whole (id, is_complete);

create table part (
  file integer not null references whole (file) on delete cascade,
  offset integer not null,
  size_bytes integer not null,
  hash blob not null,                   -- SHA-256, 32 bytes
  primary key (file, offset)
) strict, without rowid;
create index part_by_hash on part (hash);
`;

/** A part of a file, by its hash. */
export interface LaidPart {
  hash: Sha256;
  offset: number;
  sizeBytes: number;
}

/** What a file has become after parts were written to it. */
export interface GrownFile {
  diskBytes: number;
  ctimeMs: number;
  isComplete: boolean;
}

export class WholeIndex {
  readonly #complete: Statement<[Buffer], FileFacts & { id: number }>;

  constructor(private readonly db: Database) {
    this.#complete = db.prepare(
      `select file.id, name, size_bytes as sizeBytes, disk_bytes as diskBytes, ctime_ms as ctimeMs, boot
       from whole join file on file.id = whole.file where whole.id = ? and is_complete = 1`,
    );
  }

  /** The file that holds all of a whole. */
  completeFileOf(whole: Sha256): (FileFacts & { id: number }) | undefined {
    return this.#complete.get(Buffer.from(whole, "hex"));
  }

  /** Adds a file that holds nothing yet; gives its id. */
  begin(whole: Sha256, { name, sizeBytes, diskBytes, ctimeMs, boot }: FileFacts): number {
    return this.#write(() => {
      const { lastInsertRowid } = this.db
        .prepare(
          "insert into file (name, size_bytes, disk_bytes, ctime_ms, boot, last_use_ms) values (?, ?, ?, ?, ?, ?)",
        )
        .run(name, sizeBytes, diskBytes, ctimeMs, boot, Date.now());
      this.db
        .prepare("insert into whole (file, id, is_complete) values (?, ?, 0)")
        .run(lastInsertRowid, Buffer.from(whole, "hex"));
      return Number(lastInsertRowid);
    });
  }

  /**
   * Adds parts that were written to a file and evicts what no longer fits; a file that is complete now takes the place
   * of all others of its whole. Gives the files to be unlinked; undefined when the file itself was evicted meanwhile.
   */
  lay(
    id: number,
    parts: readonly LaidPart[],
    grown: GrownFile,
    maxBytes: number,
  ): ForgottenFile[] | undefined {
    return this.#write(() => {
      if (!this.#grow(id, grown)) return undefined;
      const add = this.db.prepare("insert into part (file, offset, size_bytes, hash) values (?, ?, ?, ?)");
      for (const { offset, sizeBytes, hash } of parts)
        add.run(id, offset, sizeBytes, Buffer.from(hash, "hex"));
      const others = grown.isComplete ? this.#supersede(id) : [];
      return [...others, ...evict(this.db, maxBytes)];
    });
  }

  /** All parts of a file, in order. */
  parts(id: number): LaidPart[] {
    const sql =
      "select lower(hex(hash)) as hash, offset, size_bytes as sizeBytes from part where file = ? order by offset";
    return this.db.prepare<[number], LaidPart>(sql).all(id);
  }

  /** A file was hashed from end to end, and is as it was when it was filled. */
  trust(id: number, { ctimeMs, boot }: Pick<FileFacts, "ctimeMs" | "boot">): void {
    const trust = this.db.prepare("update file set ctime_ms = ?, boot = ? where id = ?");
    this.#write(() => trust.run(ctimeMs, boot, id));
  }

  #grow(id: number, { diskBytes, ctimeMs }: GrownFile): boolean {
    const grow = this.db.prepare(
      "update file set disk_bytes = ?, ctime_ms = ?, last_use_ms = ? where id = ?",
    );
    return grow.run(diskBytes, ctimeMs, Date.now(), id).changes > 0;
  }

  #supersede(id: number): ForgottenFile[] {
    this.db.prepare("update whole set is_complete = 1 where file = ?").run(id);
    const others = "select file from whole where id = (select id from whole where file = ?) and file <> ?";
    this.db
      .prepare(`insert or ignore into pinned_file select pin, ? from pinned_file where file in (${others})`)
      .run(id, id, id);
    const drop = `delete from file where id in (${others}) returning id, name`;
    return this.db.prepare<[number, number], ForgottenFile>(drop).all(id, id);
  }

  #write<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }
}
