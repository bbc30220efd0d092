/**
 * The journal of an overlay, `journal.db`: its tables, and opening it to write (the mount's worker) or to read (a
 * commit, `status`, `recover`). Times are Unix time, UTC.
 */
import Database from "better-sqlite3";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatasetError, errnoOf, messageOf } from "../../errors.js";
import { newerFormat } from "../../format.js";
import { KiB, MiB } from "../../units.js";

const FORMAT = 2;

const SCHEMA = `
create table meta (
  key text primary key,        -- 'format', 'serials', and the facts of whoever owns the overlay
  value text not null
) strict, without rowid;

create table inodes (          -- INVARIANT: a row for every inode that differs from the base, and for every new one
  ino integer primary key,     -- base ordinal + 1, or 2^40 and up when made here
  mode integer not null,       -- type and permission bits, as st_mode
  nlink integer not null,      -- 0: an orphan, kept while somebody has it open; 1 for a directory: not counted
  uid integer not null,
  gid integer not null,
  rdev integer not null,
  size_bytes integer not null, -- older than the data file, as are the times, where flags say so
  mtime_sec integer not null,
  mtime_nsec integer not null,
  ctime_sec integer not null,
  ctime_nsec integer not null,
  target blob,                 -- of a symbolic link
  parent integer,              -- of a directory that was made or moved here: the inode of its parent
  base_ordinal integer,        -- of a file: the entry whose bytes show outside its extents; null: all bytes are local
  base_size_bytes integer not null,
  flags integer not null,      -- InodeFlag
  atime_sec integer,           -- null in journals of format 1, which kept none: as mtime
  atime_nsec integer
) strict;

create table dentries (        -- names that differ from the base
  parent integer not null,
  name blob not null,
  ino integer not null,        -- 0: the base has this name, and it is gone
  cookie integer,              -- place in a listing; null where the base has this name, and so a place for it
  primary key (parent, name)
) strict, without rowid;
create unique index dentries_by_cookie on dentries (parent, cookie) where cookie is not null;

create table extents (         -- of files with bytes of the base: the ranges [start, end) that are local, disjoint
  ino integer not null,
  start_bytes integer not null,
  end_bytes integer not null,
  primary key (ino, start_bytes)
) strict, without rowid;

create table xattrs (
  ino integer not null,
  name blob not null,
  value blob not null,
  primary key (ino, name)
) strict, without rowid;

create table clones (          -- bytes kept for a live snapshot because the data file changed since
  snapshot text not null,
  ino integer not null,
  start_bytes integer not null,
  end_bytes integer not null,
  primary key (snapshot, ino, start_bytes)
) strict, without rowid;

insert into meta values ('format', '${FORMAT}');
`;

/** One operation touches a row here and there, and each page it touches is written to the log whole: small ones are. */
const PAGE_BYTES = 1 * KiB;
/**
 * A checkpoint syncs the log and then the database, 10 to 30 ms; after this many pages (16 MiB, some thousands of
 * files made) that is little of the time it took to write them.
 */
const CHECKPOINT_PAGES = (16 * MiB) / PAGE_BYTES;

/** A reader's checkpoint or a backup holds the lock for milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

export function journalPath(directory: string): string {
  return join(directory, "journal.db");
}

/**
 * Opens the journal to write, and makes it where there is none.
 *
 * `synchronous = normal`: a commit survives the end of the process; the log is synced by `fsync(2)` and before its
 * pages are moved, so that a power loss never leaves a journal that cannot be read.
 */
export function openToWrite(directory: string): Database.Database {
  return opening(new Database(journalPath(directory), { timeout: BUSY_TIMEOUT_MS }), (db) => {
    db.pragma(`page_size = ${PAGE_BYTES}`); // Of a new journal; one that is there keeps its own.
    db.pragma("journal_mode = wal");
    db.pragma("synchronous = normal");
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.transaction(() => makeSchema(db)).immediate();
    checkFormat(db, directory);
  });
}

/**
 * Opens the journal of an overlay to read. Not SQLite's read-only mode: after a crash there is a log to replay.
 *
 * @throws {DatasetError} `not-found`, `format-newer`, `format-damaged`
 */
export function openToRead(directory: string): Database.Database {
  if (!existsSync(journalPath(directory))) {
    const message = `Cannot open the overlay "${directory}": there is no journal in it`;
    throw new DatasetError("not-found", { what: directory }, message);
  }
  const options = { timeout: BUSY_TIMEOUT_MS, fileMustExist: true };
  return opening(new Database(journalPath(directory), options), (db) => {
    db.transaction(() => upgrade(db)).immediate();
    db.pragma("query_only = on");
    checkFormat(db, directory);
  });
}

function opening(db: Database.Database, prepare: (db: Database.Database) => void): Database.Database {
  try {
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw isDamage(error) ? damaged(db.name, error) : error;
  }
}

/** What SQLite calls no database, or a malformed one, and tables that are not ours. */
function isDamage(error: unknown): boolean {
  return /^SQLITE_(NOTADB|CORRUPT|ERROR|FORMAT)/.test(errnoOf(error) ?? "");
}

function damaged(path: string, cause: unknown): DatasetError<"format-damaged"> {
  const message = `Cannot open the journal "${path}": it is damaged (${messageOf(cause)})`;
  return new DatasetError("format-damaged", { what: path }, message, { cause });
}

function makeSchema(db: Database.Database): void {
  const made = db.prepare("select 1 from sqlite_master where name = 'meta'").get();
  if (made === undefined) db.exec(SCHEMA);
  else upgrade(db);
}

/** Journals that an older varve left behind are made as they are now. */
function upgrade(db: Database.Database): void {
  const format = db.prepare<[], string>("select value from meta where key = 'format'").pluck().get();
  if (format !== "1") return;
  db.exec(`alter table inodes add column atime_sec integer;
    alter table inodes add column atime_nsec integer;
    update meta set value = '2' where key = 'format'`);
}

function checkFormat(db: Database.Database, directory: string): void {
  const value = db.prepare<[], string>("select value from meta where key = 'format'").pluck().get();
  const version = Number(value);
  if (!Number.isSafeInteger(version) || version < 1) {
    const message = `Cannot open the overlay "${directory}": its journal names no format`;
    throw new DatasetError("format-damaged", { what: directory }, message);
  }
  if (version <= FORMAT) return;
  throw newerFormat(`overlay "${directory}"`, version, FORMAT, directory);
}
