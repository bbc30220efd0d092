/**
 * A draft's staged edits: what `add`, `remove`, `sync` and the commit of a mount have gathered and `finalize` lays over
 * the parents' tree. One SQLite file a draft, so that a killed process loses nothing. One row a path, in key order.
 */
import Database from "better-sqlite3";
import type { Chunk, Sha256 } from "../content/chunk.js";
import { newerFormat } from "../format.js";
import { type Edit, type Entry, EntryType, type FileEntry, type LinkableEntry } from "../manifest/entry.js";
import { type Key, keyOf, pathOfKey } from "../manifest/key.js";
import { ROOT, type TreePath } from "../paths.js";
import { explainSqlite } from "../sqlite-failure.js";
import { ANNEXES_SCHEMA, StagedAnnexes } from "./staged-annexes.js";
import { decodeEntry, encodeEntry } from "./staged-entry.js";

const STAGING_FORMAT = 1;

/** Where a staged file's bytes come from until they are uploaded. */
export type Source =
  | { kind: "file"; path: string /* absolute, a byte string */; stamp: string /* when it was scanned */ }
  | { kind: "overlay"; ino: number }
  | { kind: "stored"; sha256: Sha256; chunks: readonly Chunk[] /* in another remote */ };

/** A file whose content is not yet in the remote: its hash and chunks are not known. */
export interface PendingFile {
  path: TreePath;
  sizeBytes: number;
  source: Source;
}

/** How an edit changes the tree it is laid over: decided when staged, or for pending files when uploaded. */
export const Effect = { unknown: 0, none: 1, metadata: 2, content: 3 } as const;
export type Effect = (typeof Effect)[keyof typeof Effect];

export interface StagedFacts {
  /** Whether the parents were merged in, who made the label, and other facts about the draft; JSON. */
  [name: string]: unknown;
}

const SCHEMA = `
  create table if not exists facts (name text primary key, value text not null) without rowid;
  create table if not exists staged (
    key blob primary key,     -- parent directory, NUL, name
    type integer not null,    -- entry type; 0 removes the path
    entry text,               -- the entry without its path, see staged-entry.ts
    source text,              -- JSON; present while the content is not uploaded
    size_bytes integer,       -- of the content that is not uploaded
    effect integer not null   -- 0 unknown, 1 none, 2 metadata, 3 content
  ) without rowid;
  drop index if exists staged_pending; -- of earlier versions: kept for every row, where one pass over all serves
`;

/** 32 MiB. A checkpoint copies what was written since the last: of a hundred thousand files, each page of the table many times. */
const CHECKPOINT_PAGES = 8_192;

const SELECT = "select key, type, entry, source, effect from staged";

/** The staged edits of one draft. Every call is one transaction unless it runs inside `transaction`. */
export class Staging {
  /** What belongs to the draft beside its tree. */
  readonly annexes: StagedAnnexes;
  private readonly db: Database.Database;
  private readonly insert: Database.Statement;
  private readonly select: Database.Statement;
  private readonly selectChildren: Database.Statement;
  private readonly selectBelow: Database.Statement;
  private readonly selectBelowRoot: Database.Statement;

  private constructor(
    readonly file: string,
    db: Database.Database,
  ) {
    this.db = db;
    this.annexes = new StagedAnnexes(db, (work) => this.write(work));
    this.insert = db.prepare(
      "insert or replace into staged (key, type, entry, source, effect, size_bytes) values (?, ?, ?, ?, ?, ?)",
    );
    this.select = db.prepare(`${SELECT} where key = ?`).raw();
    this.selectChildren = db
      .prepare(`${SELECT} where key >= ? and key < ? and key > x'00' order by key`)
      .raw();
    this.selectBelow = db
      .prepare(`${SELECT} where (key >= ? and key < ?) or (key >= ? and key < ?) order by key`)
      .raw();
    this.selectBelowRoot = db.prepare(`${SELECT} where key > x'00' order by key`).raw();
  }

  /** Opens (or makes) the staging file. @throws {DatasetError} `format-damaged`, `format-newer`, `disk-full`, `source-unreadable` */
  static open(file: string): Staging {
    return writing(file, () => {
      const db = new Database(file, { timeout: 30_000 });
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = NORMAL");
      db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      db.exec(SCHEMA + ANNEXES_SCHEMA);
      const staging = new Staging(file, db);
      staging.checkFormat();
      return staging;
    });
  }

  /** Runs `work` as one transaction. */
  transaction<T>(work: () => T): T {
    return this.write(() => this.db.transaction(work).immediate());
  }

  /** Stages an entry whose content is known (or that has none). */
  put(entry: Entry, effect: Effect): void {
    const row = encodeEntry(entry);
    this.write(() => this.insert.run(blobOf(entry.path), entry.type, row, null, effect, null));
  }

  /** Stages a file whose content is still to be uploaded. `entry.sha256` and `entry.chunks` are filled in then. */
  putPending(entry: Omit<FileEntry, "sha256" | "chunks">, source: Source): void {
    const row = encodeEntry({ ...entry, sha256: "" as Sha256, chunks: [] });
    const { path, sizeBytes } = entry;
    const from = JSON.stringify(source);
    this.write(() => this.insert.run(blobOf(path), EntryType.file, row, from, Effect.unknown, sizeBytes));
  }

  /** Stages that a path is no more. Only this path: who removes a folder stages its descendants too. */
  remove(path: TreePath): void {
    this.write(() => this.insert.run(blobOf(path), 0, null, null, Effect.content, null));
  }

  /** Stages the hard links of an entry, whether or not it is staged itself. */
  setHardLinks(entry: LinkableEntry): void {
    const row = this.select.get(blobOf(entry.path)) as Row | undefined;
    const [, , , source = null, effect = Effect.metadata] = row ?? [];
    const pendingBytes = source === null || entry.type !== EntryType.file ? null : entry.sizeBytes;
    const encoded = encodeEntry(entry);
    this.write(() => this.insert.run(blobOf(entry.path), entry.type, encoded, source, effect, pendingBytes));
  }

  /** Forgets what was staged for a path. */
  unstage(path: TreePath): void {
    this.write(() => this.db.prepare("delete from staged where key = ?").run(blobOf(path)));
  }

  /** What is staged for a path: an entry, a removal, or nothing. */
  get(path: TreePath): Edit | undefined {
    const row = this.select.get(blobOf(path)) as Row | undefined;
    return row && editOf(row);
  }

  /** Whether the content staged for a path is still to be uploaded. */
  isPending(path: TreePath): boolean {
    return ((this.select.get(blobOf(path)) as Row | undefined)?.[3] ?? null) !== null;
  }

  /** Where the content staged for a path lies while it is still to be uploaded. */
  sourceOf(path: TreePath): Source | undefined {
    const source = (this.select.get(blobOf(path)) as Row | undefined)?.[3] ?? null;
    return source === null ? undefined : (JSON.parse(source) as Source);
  }

  /** Every staged edit in key order. */
  *edits(): IterableIterator<Edit> {
    for (const row of this.rows(`${SELECT} where key > ? order by key limit ?`)) yield editOf(row);
  }

  /** What is staged below a directory, at any depth, in key order. */
  below(directory: TreePath): Edit[] {
    const rows =
      directory === ROOT ? this.selectBelowRoot.all() : this.selectBelow.all(...boundsBelow(directory));
    return (rows as Row[]).map(editOf);
  }

  /** What is staged for the children of a directory, in key order. */
  children(directory: TreePath): Edit[] {
    const [first, end] = boundsBelow(directory);
    return (this.selectChildren.all(first, end) as Row[]).map(editOf);
  }

  get isEmpty(): boolean {
    return this.db.prepare("select 1 from staged limit 1").get() === undefined;
  }

  /** Files still to be uploaded, in tree order. May be changed while it is walked. */
  *pending(): IterableIterator<PendingFile & { entry: FileEntry }> {
    const query = `${SELECT} where source is not null and key > ? order by key limit ?`;
    for (const row of this.rows(query)) {
      const entry = editOf(row) as FileEntry;
      const source = JSON.parse(row[3]!) as Source;
      yield { path: entry.path, sizeBytes: entry.sizeBytes, source, entry };
    }
  }

  counts(): { staged: number; pending: number; content: number; pendingBytes: number } {
    const sql = `select count(*) as staged, count(source) as pending, coalesce(sum(effect = 3), 0) as content,
      coalesce(sum(size_bytes), 0) as pendingBytes from staged`;
    return this.db.prepare(sql).get() as ReturnType<Staging["counts"]>;
  }

  setFact(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    this.write(() => this.db.prepare("insert or replace into facts values (?, ?)").run(name, text));
  }

  fact(name: string): unknown {
    const row = this.db.prepare("select value from facts where name = ?").get(name) as
      { value: string } | undefined;
    return row && (JSON.parse(row.value) as unknown);
  }

  close(): void {
    this.db.close();
  }

  /** Pages through a query, so that rows may be changed while they are walked. */
  private *rows(query: string): IterableIterator<Row> {
    const statement = this.db.prepare(query).raw();
    for (let after: Buffer = Buffer.alloc(0); ;) {
      const page = statement.all(after, PAGE_ROWS) as Row[];
      yield* page;
      if (page.length < PAGE_ROWS) return;
      after = page.at(-1)![0];
    }
  }

  private write<T>(work: () => T): T {
    return writing(this.file, work);
  }

  private checkFormat(): void {
    const format = this.fact("format") ?? STAGING_FORMAT;
    if (format === STAGING_FORMAT) this.setFact("format", STAGING_FORMAT);
    else throw newerFormat(`draft "${this.file}"`, Number(format), STAGING_FORMAT, this.file);
  }
}

/** What messages call the file. */
const DRAFT = "draft";

/** @throws {DatasetError} `disk-full`, `source-unreadable`, `format-damaged` */
function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainSqlite(error, { what: DRAFT, path: file });
  }
}

/** Enough to make paging cheap; small enough that a page of large entries stays a few MiB. */
const PAGE_ROWS = 2_000;

/** A row as SQLite gives it, column by column: an object for each would cost more than the query. */
type Row = [key: Buffer, type: number, entry: string | null, source: string | null, effect: Effect];

function editOf([key, type, entry]: Row): Edit {
  const path = pathOfKey(key.toString("latin1") as Key);
  return type === 0 ? { path, type: 0 } : decodeEntry(type as EntryType, path, entry!);
}

/** Keys of a directory's children, then keys of everything deeper: `dir\0…` and `dir/…`. */
function boundsBelow(directory: TreePath): [Buffer, Buffer, Buffer, Buffer] {
  const bound = (next: string) => Buffer.from(directory + next, "latin1");
  return [bound("\0"), bound("\x01"), bound("/"), bound("0")];
}

function blobOf(path: TreePath): Buffer {
  return Buffer.from(keyOf(path), "latin1");
}
