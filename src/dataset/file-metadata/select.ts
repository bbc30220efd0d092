/**
 * Chooses files of a version by what is said of them and by their paths. Tree and rows come in the same order, so one pass
 * over both does it, in memory that does not grow with either; costs the ranges of the version and the pages of its table.
 */
import type { Cache } from "../../cache/cache.js";
import { EntryType } from "../../manifest/entry.js";
import { keyOf } from "../../manifest/key.js";
import type { Tree } from "../../manifest/tree.js";
import { ROOT, type TreePath, parentOf } from "../../paths.js";
import { slicesOf } from "../version-blocks.js";
import { wildcardsOf } from "../wildcard.js";
import { type Predicate, parseExpression } from "./expression.js";
import type { FileFields } from "./fields.js";
import type { FileRow } from "./pages.js";
import { type FileTable, tableRows } from "./table.js";

export interface Selection {
  /** An expression over the metadata of files, such as `width > 100 and label = 'cat'`. Default: all. */
  where?: string | undefined;
  /** Patterns; one without `/` is held against names, else against whole paths. Of several one must match. Default: all. */
  globs?: readonly string[] | undefined;
}

export interface SelectedFile {
  /** In the tree. */
  ordinal: number;
  path: TreePath;
  fields: FileFields;
}

/** A version that is open to be chosen from. */
export interface SelectionSource {
  cache: Cache;
  tree: Tree;
  /** The metadata of its files. */
  table: FileTable;
}

const NOTHING: FileFields = {};

export function isSelective({ where, globs = [] }: Selection): boolean {
  return where !== undefined || globs.length > 0;
}

/** Says at once whether a selection can be read. @throws {DatasetError} `bad-input` */
export function predicateOf({ where, globs = [] }: Selection): Predicate {
  const isMeant = where === undefined ? () => true : parseExpression(where);
  const wildcards = wildcardsOf(globs);
  return (path, fields) => wildcards.takes(path) && isMeant(path, fields);
}

/** The files, links and symbolic links that are meant, in the order of the tree. */
export async function* selectFiles(
  { cache, tree, table }: SelectionSource,
  selection: Selection,
): AsyncGenerator<SelectedFile> {
  const isMeant = predicateOf(selection);
  const rows = new RowsAhead(tableRows(cache, table));
  await rows.advance();
  let ordinal = 0;
  const complete = <T>(operation: () => T) => cache.complete(operation);
  for await (const { range, start, end } of slicesOf(tree, [ROOT], complete))
    for (let index = start; index < end; index++, ordinal++) {
      if (range.typeAt(index) === EntryType.directory) continue;
      const path = range.pathAt(index);
      const key = keyOf(path);
      while (rows.next && rows.next.key < key) await rows.advance();
      const fields = rows.next?.key === key ? rows.next.fields : NOTHING;
      if (isMeant(path, fields)) yield { ordinal, path, fields };
    }
}

/** One bit an entry of the tree: the files that are meant, and the folders they lie in, up to the root. */
export async function selectOrdinals(
  source: SelectionSource,
  selection: Selection,
): Promise<{ bits: Uint8Array; files: number }> {
  const { cache, tree } = source;
  const bits = new Uint8Array(Math.ceil(tree.entryCount / 8));
  const set = (ordinal: number) => void (bits[ordinal >> 3]! |= 1 << (ordinal & 7));
  const folders = new Set<TreePath>([ROOT]);
  if (tree.entryCount > 0) set(0);
  let files = 0;
  for await (const { ordinal, path } of selectFiles(source, selection)) {
    files += 1;
    set(ordinal);
    for (let folder = parentOf(path); !folders.has(folder); folder = parentOf(folder)) {
      folders.add(folder);
      const found = await cache.complete(() => tree.find(folder));
      if (found !== undefined) set(found);
    }
  }
  return { bits, files };
}

class RowsAhead {
  next: FileRow | undefined;

  constructor(private readonly rows: AsyncGenerator<FileRow>) {}

  async advance(): Promise<void> {
    const step = await this.rows.next();
    this.next = step.done ? undefined : step.value;
  }
}
