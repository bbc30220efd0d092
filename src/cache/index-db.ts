/**
 * `index.db`: which block lies where, how much room each file takes and when it was last used. SQL has its home here;
 * opening, mending and replacing a damaged index is `open-index.ts`, files are `block-file.ts`.
 */
import type { Database, Statement } from "better-sqlite3";

import type { Sha256 } from "../content/chunk.js";
import { type ForgottenFile, evict } from "./evict.js";
import { PIN_SCHEMA, PinIndex } from "./pin-index.js";
import { UpkeepIndex } from "./upkeep-index.js";
import { WHOLE_SCHEMA, WholeIndex } from "./whole-index.js";

const BLOCK_SCHEMA = `
create table file (
  id integer primary key autoincrement, -- INVARIANT: never used twice, since processes keep descriptors by it
  name text not null unique,            -- in the folder blocks/
  size_bytes integer not null,          -- its length
  disk_bytes integer not null,          -- the room it takes
  ctime_ms real not null,               -- st_ctime after it was given its name
  boot text not null,                   -- when this machine was up: boot_id
  last_use_ms integer not null          -- Unix time, UTC
) strict;
create index file_by_use on file (last_use_ms, id, disk_bytes);

create table block (
  hash blob primary key,                -- SHA-256, 32 bytes; the name of an external file's block has one more
  file integer not null references file (id) on delete cascade,
  offset integer not null,
  size_bytes integer not null
) strict, without rowid;
create index block_by_file on block (file);

create table upkeep (
  born_ms integer not null,             -- Unix time, UTC: when this index was made
  swept_ms integer not null             -- Unix time, UTC: when orphans were last looked for
) strict;
`;

const LINK_SCHEMA = `
-- SHA-256 of the bytes of a block that is not named by it, as those of external files
alter table block add column content blob;
`;

/** What each version of the schema added to the one before; the first makes version 1. */
export const SCHEMA_STEPS = [BLOCK_SCHEMA, WHOLE_SCHEMA, LINK_SCHEMA, PIN_SCHEMA] as const;

/** Where a block lies: `sizeBytes` bytes from `offset` of a file. */
export interface Place {
  file: number;
  offset: number;
  sizeBytes: number;
  /** SHA-256 of its bytes, 32 bytes, where its name is not that. */
  content: Buffer | null;
}

/** A file as it was when it was added. */
export interface FileFacts {
  name: string;
  sizeBytes: number;
  diskBytes: number;
  ctimeMs: number;
  boot: string;
}

/** A block of a new file. */
export interface LaidBlock {
  hash: Sha256;
  offset: number;
  sizeBytes: number;
  /** SHA-256 of its bytes, where its name is not that. */
  content?: Sha256 | undefined;
}

/** Ids of files that were used since the last time this was written down. */
export type Uses = ReadonlySet<number>;

export class CacheIndex {
  readonly wholes: WholeIndex;
  readonly pins: PinIndex;
  readonly upkeep: UpkeepIndex;
  readonly #place: Statement<[Buffer, Buffer], Place>;
  readonly #file: Statement<[number], FileFacts>;
  readonly #drop: Statement<[number], string>;
  readonly #breakPins: Statement<[number]>;
  readonly #use: Statement<[number, number]>;

  constructor(private readonly db: Database) {
    this.wholes = new WholeIndex(db);
    this.pins = new PinIndex(db);
    this.upkeep = new UpkeepIndex(db);
    const place = "select file, offset, size_bytes as sizeBytes";
    this.#place = db.prepare(
      `${place}, content from block where hash = ? union all ${place}, null from part where hash = ? limit 1`,
    );
    this.#file = db.prepare(
      `select name, size_bytes as sizeBytes, disk_bytes as diskBytes, ctime_ms as ctimeMs, boot from file where id = ?`,
    );
    this.#drop = db.prepare<[number], string>("delete from file where id = ? returning name").pluck();
    this.#breakPins = db.prepare(
      "update pin set is_complete = 0 where id in (select pin from pinned_file where file = ?)",
    );
    this.#use = db.prepare("update file set last_use_ms = ? where id = ?");
  }

  placeOf(hash: Sha256): Place | undefined {
    const name = bytesOf(hash);
    return this.#place.get(name, name);
  }

  fileOf(id: number): FileFacts | undefined {
    return this.#file.get(id);
  }

  /**
   * Adds a file with its blocks, and forgets the files used least recently until all take at most `maxBytes`,
   * in one transaction. Gives the forgotten ones, which are to be unlinked.
   */
  add(file: FileFacts, blocks: readonly LaidBlock[], uses: Uses, maxBytes: number): ForgottenFile[] {
    return this.#write(() => {
      this.#noteUses(uses);
      this.#insert(file, blocks);
      return evict(this.db, maxBytes);
    });
  }

  /** Forgets a file and all its blocks; gives its name, unless another process was quicker. Its pins lack something now. */
  drop(id: number): string | undefined {
    return this.#write(() => {
      this.#breakPins.run(id);
      return this.#drop.get(id);
    });
  }

  noteUses(uses: Uses): void {
    this.#write(() => this.#noteUses(uses));
  }

  /** True for one caller in `everyMs`, who then looks for orphans. */
  claimSweep(nowMs: number, everyMs: number): boolean {
    const claim = this.db.prepare<[number, number]>("update upkeep set swept_ms = ? where swept_ms < ?");
    return this.#write(() => claim.run(nowMs, nowMs - everyMs).changes > 0);
  }

  bornMs(): number {
    return this.db.prepare<[], number>("select born_ms from upkeep").pluck().get() ?? 0;
  }

  /** Names of all files. */
  names(): Set<string> {
    return new Set(this.db.prepare<[], string>("select name from file").pluck().iterate());
  }

  totals(): { files: number; blocks: number; bytes: number } {
    const sql = `select count(*) as files, total(disk_bytes) as bytes,
       (select count(*) from block) + (select count(*) from part) as blocks from file`;
    const totals = this.db.prepare<[], { files: number; blocks: number; bytes: number }>(sql).get();
    return totals ?? { files: 0, blocks: 0, bytes: 0 };
  }

  close(): void {
    this.db.close();
  }

  /** Waits its turn at the start: a transaction that first reads and then writes would fail where another wrote between. */
  #write<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  #noteUses(uses: Uses): void {
    const now = Date.now();
    for (const id of uses) this.#use.run(now, id);
  }

  #insert({ name, sizeBytes, diskBytes, ctimeMs, boot }: FileFacts, blocks: readonly LaidBlock[]): void {
    const file = this.db
      .prepare(
        "insert into file (name, size_bytes, disk_bytes, ctime_ms, boot, last_use_ms) values (?, ?, ?, ?, ?, ?)",
      )
      .run(name, sizeBytes, diskBytes, ctimeMs, boot, Date.now()).lastInsertRowid;
    // A block that was here already is taken over: this file will live longer, unless the other is pinned.
    const lay = this.db.prepare(
      `insert into block (hash, file, offset, size_bytes, content) values (?, ?, ?, ?, ?)
       on conflict (hash) do update
       set file = excluded.file, offset = excluded.offset, size_bytes = excluded.size_bytes, content = excluded.content
       where not exists (select 1 from pinned_file where pinned_file.file = block.file)`,
    );
    for (const { hash, offset, sizeBytes, content } of blocks)
      lay.run(bytesOf(hash), file, offset, sizeBytes, content === undefined ? null : bytesOf(content));
  }
}

function bytesOf(hash: Sha256): Buffer {
  return Buffer.from(hash, "hex");
}
