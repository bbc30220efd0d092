/** A version's table of what is said of its files: the pages its record names, and patches that came after it was finished. */
import type { VersionRow } from "../../catalog/catalog.js";
import type { Cache } from "../../cache/cache.js";
import type { Key } from "../../manifest/key.js";
import { parseAs } from "../stored-json.js";
import type { Workspace } from "../workspace.js";
import { type FieldsPatch, type FileFields, applyPatch } from "./fields.js";
import { type FileRow, type Page, readPage, readPages, rowsOf, tableRefSchema } from "./pages.js";

/** The annex kind of the table. */
export const FILE_METADATA_KIND = "fileMetadata";

export interface FileTable {
  pages: Page[];
  /** In the order in which they were made; the fields of a row are a `FieldsPatch`. */
  patches: Page[][];
}

/** The table of a finished version; an empty one where nothing is said of its files. */
export async function openFileTable(workspace: Workspace, version: VersionRow): Promise<FileTable> {
  const annexes = await (await workspace.catalog()).annexesOf(version.id, FILE_METADATA_KIND);
  return readFileTable(await workspace.cache(), annexes);
}

/** The table that annexes name. Costs its indexes. */
export async function readFileTable(cache: Cache, annexes: readonly string[]): Promise<FileTable> {
  const table: FileTable = { pages: [], patches: [] };
  for (const annex of annexes) {
    const ref = parseAs(tableRefSchema, annex, "table of file metadata");
    const pages = await readPages(cache, ref);
    if (ref.patches) table.patches.push(pages);
    else table.pages = pages;
  }
  return table;
}

export function isEmpty({ pages, patches }: FileTable): boolean {
  return pages.length === 0 && patches.length === 0;
}

/** Its rows in the order of the tree. */
export function tableRows(cache: Cache, { pages, patches }: FileTable): AsyncGenerator<FileRow> {
  return patches.reduce((rows, each) => patched(rows, rowsOf(cache, each)), rowsOf(cache, pages));
}

/** What it says of one file. */
export async function tableRow(
  cache: Cache,
  { pages, patches }: FileTable,
  key: Key,
): Promise<FileFields | undefined> {
  let fields = await fieldsAt(cache, pages, key);
  for (const each of patches) fields = applyPatch(fields, patchIn(await fieldsAt(cache, each, key)));
  return fields;
}

async function fieldsAt(cache: Cache, pages: readonly Page[], key: Key): Promise<FileFields | undefined> {
  const page = pages.findLast(({ firstKey }) => firstKey <= key);
  return page && (await readPage(cache, page)).find((row) => row.key === key)?.fields;
}

async function* patched(
  rows: AsyncGenerator<FileRow>,
  patches: AsyncGenerator<FileRow>,
): AsyncGenerator<FileRow> {
  let next = await patches.next();
  const applied = function* (row: FileRow | undefined, patch: FileRow): Generator<FileRow> {
    const fields = applyPatch(row?.fields, patchIn(patch.fields));
    if (fields) yield { ...patch, fields };
  };
  for await (const row of rows) {
    for (; !next.done && next.value.key < row.key; next = await patches.next())
      yield* applied(undefined, next.value);
    if (next.done || next.value.key !== row.key) yield row;
    else {
      yield* applied(row, next.value);
      next = await patches.next();
    }
  }
  for (; !next.done; next = await patches.next()) yield* applied(undefined, next.value);
}

function patchIn(fields: FileFields | undefined): FieldsPatch | undefined {
  if (!fields) return undefined;
  const { replace, fields: changed } = fields;
  return { replace: replace === true, fields: (changed ?? {}) as FileFields };
}
