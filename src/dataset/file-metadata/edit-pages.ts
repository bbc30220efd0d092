/** Lays changes over the rows of a table, in one pass in the order of the tree. Pages that nothing touches are taken over. */
import type { Cache } from "../../cache/cache.js";
import { type Key, pathOfKey } from "../../manifest/key.js";
import type { FileFields } from "./fields.js";
import { type FileRow, type Page, type PageWriter, readPage } from "./pages.js";

/** What becomes of one row; `change` is given undefined where there is none, and gives undefined to take it away. */
export interface RowEdit {
  key: Key;
  change: (fields: FileFields | undefined) => FileFields | undefined;
}

/** @param edits Sorted by key, one for each. */
export async function editPages(
  cache: Cache,
  pages: readonly Page[],
  edits: Iterable<RowEdit>,
  writer: PageWriter,
): Promise<void> {
  const ahead = new Ahead(edits);
  for (const [number, page] of pages.entries()) {
    const end = pages[number + 1]?.firstKey;
    if (writer.atCut && !ahead.isBefore(end)) writer.reuse(page);
    else for (const row of editedRows(await readPage(cache, page), ahead, end)) await writer.add(row);
  }
  for (const row of editedRows([], ahead, undefined)) await writer.add(row);
}

/** Rows of two tables as one; where both have a path, the second's. */
export async function* laidOver(
  rows: AsyncIterable<FileRow>,
  others: AsyncIterable<FileRow>,
): AsyncGenerator<FileRow> {
  const over = others[Symbol.asyncIterator]();
  let next = await over.next();
  for await (const row of rows) {
    while (!next.done && next.value.key < row.key) {
      yield next.value;
      next = await over.next();
    }
    if (next.done || next.value.key !== row.key) yield row;
  }
  for (; !next.done; next = await over.next()) yield next.value;
}

/** Rows that come in order, with edits laid over them. */
export async function* editRows(
  rows: AsyncIterable<FileRow>,
  edits: Iterable<RowEdit>,
): AsyncGenerator<FileRow> {
  const ahead = new Ahead(edits);
  for await (const row of rows) yield* editedRows([row], ahead, row.key);
  yield* editedRows([], ahead, undefined);
}

/** The rows with the edits that come before `end` and those of the rows themselves. */
function* editedRows(rows: readonly FileRow[], ahead: Ahead, end: Key | undefined): Generator<FileRow> {
  for (const row of rows) {
    while (ahead.isBefore(row.key)) yield* changed(ahead.take(), undefined);
    if (ahead.isAt(row.key)) yield* changed(ahead.take(), row.fields);
    else yield row;
  }
  while (ahead.isBefore(end)) yield* changed(ahead.take(), undefined);
}

function* changed({ key, change }: RowEdit, before: FileFields | undefined): Generator<FileRow> {
  const fields = change(before);
  if (fields) yield { key, path: pathOfKey(key), fields };
}

/** The next edit, looked at before it is taken. */
class Ahead {
  readonly #edits: Iterator<RowEdit>;
  #next: RowEdit | undefined;

  constructor(edits: Iterable<RowEdit>) {
    this.#edits = edits[Symbol.iterator]();
    this.#advance();
  }

  /** Undefined is after all. */
  isBefore(key: Key | undefined): boolean {
    return this.#next !== undefined && (key === undefined || this.#next.key < key);
  }

  isAt(key: Key): boolean {
    return this.#next?.key === key;
  }

  take(): RowEdit {
    const taken = this.#next!;
    this.#advance();
    return taken;
  }

  #advance(): void {
    const step = this.#edits.next();
    this.#next = step.done ? undefined : step.value;
  }
}
