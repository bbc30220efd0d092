/** Sets of byte ranges in the journal: the local extents of files, and what clones hold. Kept merged and disjoint. */
import type { Database, Statement } from "better-sqlite3";
import type { Span } from "./spans.js";

/** The columns before `start_bytes` in the key of a table: what a set of ranges belongs to. */
export type SpanOwner = readonly (string | number)[];

export class SpanTable<Owner extends SpanOwner> {
  readonly #touching: Statement<unknown[], Span>;
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #deleteFrom: Statement;
  readonly #all: Statement<unknown[], Span>;

  constructor(db: Database, table: "extents" | "clones", ownerColumns: readonly string[]) {
    const own = ownerColumns.map((column) => `${column} = ?`).join(" and ");
    const columns = "start_bytes as start, end_bytes as end";
    // Disjoint ranges end in the order they start, so the first to look at is the last that starts before.
    const before = `select max(start_bytes) from ${table} where ${own} and start_bytes <= ?`;
    this.#touching = db.prepare(
      `select ${columns} from ${table} where ${own} and start_bytes >= coalesce((${before}), 0)
       and start_bytes <= ? and end_bytes >= ? order by start_bytes`,
    );
    this.#insert = db.prepare(`insert into ${table} values (${ownerColumns.map(() => "?").join()}, ?, ?)`);
    this.#delete = db.prepare(`delete from ${table} where ${own} and start_bytes = ?`);
    this.#deleteFrom = db.prepare(`delete from ${table} where ${own} and start_bytes >= ?`);
    this.#all = db.prepare(`select ${columns} from ${table} where ${own} order by start_bytes`);
  }

  /** The ranges that share bytes with `span`, in order. */
  within(owner: Owner, span: Span): Span[] {
    return this.#touchingOf(owner, span).filter(({ start, end }) => start < span.end && end > span.start);
  }

  all(owner: Owner): Span[] {
    return this.#all.all(...owner);
  }

  covers(owner: Owner, span: Span): boolean {
    const [only, ...others] = this.within(owner, span);
    return only !== undefined && others.length === 0 && only.start <= span.start && only.end >= span.end;
  }

  /** Adds a range, merged with those it overlaps or touches. Within a transaction. */
  add(owner: Owner, span: Span): void {
    let { start, end } = span;
    for (const other of this.#touchingOf(owner, span)) {
      this.#delete.run(...owner, other.start);
      start = Math.min(start, other.start);
      end = Math.max(end, other.end);
    }
    this.#insert.run(...owner, start, end);
  }

  /** Removes all bytes from `sizeBytes` on. Within a transaction. */
  cut(owner: Owner, sizeBytes: number): void {
    const [crossing] = this.within(owner, { start: sizeBytes, end: sizeBytes + 1 });
    this.#deleteFrom.run(...owner, sizeBytes);
    if (crossing && crossing.start < sizeBytes) {
      this.#delete.run(...owner, crossing.start);
      this.#insert.run(...owner, crossing.start, sizeBytes);
    }
  }

  /** The ranges that share bytes with `span`, or end or begin where it begins or ends. */
  #touchingOf(owner: Owner, { start, end }: Span): Span[] {
    return this.#touching.all(...owner, ...owner, start, end, start);
  }
}
