/**
 * What must not be evicted: pins, each with the files of the cache that hold what it covers. A pin has a name and facts
 * that mean something to who made it. It stays until it is taken away, or as long as its holder lives (`holders.ts`).
 */
import type { Database, Statement } from "better-sqlite3";

import type { Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { MiB } from "../units.js";

export const PIN_SCHEMA = `
create table pin (
  id integer primary key autoincrement,
  name text not null unique,
  facts text not null,                  -- JSON
  holder text,                          -- null: it stays until somebody takes it away
  is_complete integer not null          -- 1: all it covers is in its files, and none of those was dropped since
) strict;

create table pinned_file (
  pin integer not null references pin (id) on delete cascade,
  file integer not null references file (id) on delete cascade,
  primary key (pin, file)
) strict, without rowid;
create index pinned_by_file on pinned_file (file);

create table note (
  name text primary key,
  value text not null
) strict, without rowid;
`;

export interface Pin {
  id: number;
  name: string;
  facts: unknown;
  holder: string | null;
  isComplete: boolean;
  /** Room its files take. Files that hold something else too count in full, and for each of the pins that share them. */
  bytes: number;
}

/** Where a block lies on disk, as far as a pin is concerned. */
export interface Lodging {
  file: number;
  fileBytes: number;
  isPinned: boolean;
  /** Whether the file is that of a large content in one piece. */
  isWhole: boolean;
}

/** Room that pins leave to what else is read: for some fills, so that a full cache still works. */
const MOST_LEFT_BYTES = 64 * MiB;
const LEFT_SHARE = 1 / 8;

/** Room that pins may take of a cache. */
export function pinnableBytes(maxBytes: number): number {
  return maxBytes - Math.min(MOST_LEFT_BYTES, maxBytes * LEFT_SHARE);
}

export class PinIndex {
  readonly #lodging: Statement<[Buffer, Buffer], Record<keyof Lodging, number>>;

  constructor(private readonly db: Database) {
    this.#lodging = db.prepare(
      `select lodged.file, disk_bytes as fileBytes, isWhole,
         exists (select 1 from pinned_file where pinned_file.file = lodged.file) as isPinned
       from (select file, 1 as isWhole from part where hash = ? union all select file, 0 from block where hash = ?) as lodged
       join file on file.id = lodged.file order by isPinned desc, isWhole desc limit 1`,
    );
  }

  /** Where a block lies: of several places one that is pinned already, else the one in a whole. */
  lodgingOf(hash: Sha256): Lodging | undefined {
    const bytes = Buffer.from(hash, "hex");
    const found = this.#lodging.get(bytes, bytes);
    return found && { ...found, isPinned: found.isPinned === 1, isWhole: found.isWhole === 1 };
  }

  /** Makes a pin that covers nothing yet, or goes on with the one of this name; gives its id. */
  begin(name: string, facts: unknown, holder: string | null): number {
    const begin = this.db.prepare<[string, string, string | null], number>(
      `insert into pin (name, facts, holder, is_complete) values (?, ?, ?, 0)
       on conflict (name) do update set facts = excluded.facts, holder = excluded.holder returning id`,
    );
    return this.#write(() => begin.pluck().get(name, JSON.stringify(facts), holder)!);
  }

  /**
   * Pins the files that hold these blocks; gives the blocks that are in none.
   * @throws {DatasetError} `cache-full`, and then pins none of them
   */
  cover(pin: number, hashes: readonly Sha256[], maxBytes: number): Sha256[] {
    const add = this.db.prepare("insert or ignore into pinned_file (pin, file) values (?, ?)");
    return this.#write(() => {
      const lacking = hashes.filter((hash) => {
        const lodging = this.lodgingOf(hash);
        if (lodging) add.run(pin, lodging.file);
        return !lodging;
      });
      this.#refuseTooMuch(maxBytes);
      return lacking;
    });
  }

  /** Pins files that are still there. @throws {DatasetError} `cache-full`, and then pins none of them */
  coverFiles(pin: number, files: readonly number[], maxBytes: number): void {
    const add = this.db.prepare(
      "insert or ignore into pinned_file (pin, file) select ?, id from file where id = ?",
    );
    this.#write(() => {
      for (const file of files) add.run(pin, file);
      this.#refuseTooMuch(maxBytes);
    });
  }

  /** All that a pin is to cover is covered. */
  complete(pin: number): void {
    const complete = this.db.prepare("update pin set is_complete = 1 where id = ?");
    this.#write(() => complete.run(pin));
  }

  /** Another holder has the pin from now on. False when there is no such pin any more. */
  pass(pin: number, holder: string): boolean {
    const pass = this.db.prepare("update pin set holder = ? where id = ?");
    return this.#write(() => pass.run(holder, pin)).changes > 0;
  }

  /** Whether there are pins that end with their holders. */
  hasHeld(): boolean {
    return this.db.prepare("select 1 from pin where holder is not null limit 1").get() !== undefined;
  }

  list(): Pin[] {
    const rows = this.db.prepare<
      [],
      Omit<Pin, "facts" | "isComplete"> & { facts: string; isComplete: number }
    >(
      `select pin.id, name, facts, holder, is_complete as isComplete,
         (select total(disk_bytes) from pinned_file join file on file.id = file where pin = pin.id) as bytes
       from pin order by pin.id`,
    );
    return rows.all().map((row) => ({ ...row, facts: parsed(row.facts), isComplete: row.isComplete === 1 }));
  }

  drop(pin: number): boolean {
    const drop = this.db.prepare("delete from pin where id = ?");
    return this.#write(() => drop.run(pin)).changes > 0;
  }

  /** Takes a pin away, unless another holder has it by now. */
  dropHeld(pin: number, holder: string): void {
    const drop = this.db.prepare("delete from pin where id = ? and holder = ?");
    this.#write(() => drop.run(pin, holder));
  }

  /** Room that all pinned files take. */
  pinnedBytes(): number {
    const sql = "select total(disk_bytes) from file where id in (select file from pinned_file)";
    return this.db.prepare<[], number>(sql).pluck().get() ?? 0;
  }

  /** Something that whoever fills the cache wants to find in it again. */
  note(name: string, value: string): void {
    const note = this.db.prepare("insert or replace into note (name, value) values (?, ?)");
    this.#write(() => note.run(name, value));
  }

  notes(): Map<string, string> {
    const rows = this.db.prepare<[], [string, string]>("select name, value from note").raw();
    return new Map(rows.all());
  }

  #refuseTooMuch(maxBytes: number): void {
    const bytes = this.pinnedBytes();
    if (bytes > pinnableBytes(maxBytes)) throw cacheFull(bytes, maxBytes);
  }

  #write<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }
}

/** Others may write to a shared cache. */
function parsed(facts: string): unknown {
  try {
    return JSON.parse(facts);
  } catch {
    return undefined;
  }
}

/** @param neededBytes What would have to be pinned at once. */
export function cacheFull(neededBytes: number, maxBytes: number): DatasetError<"cache-full"> {
  const [needed, room] = [neededBytes, pinnableBytes(maxBytes)].map(
    (bytes) => `${Math.ceil(bytes / MiB)} MiB`,
  );
  const message = `Cannot keep that much in the cache: with what is pinned already it takes ${needed}, and the cache has room for ${room}; varve cache status shows the pins, --cache-size gives it more`;
  return new DatasetError("cache-full", { neededBytes, roomBytes: pinnableBytes(maxBytes) }, message);
}
