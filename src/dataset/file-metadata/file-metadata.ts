/**
 * Metadata of single files. It belongs to a path as long as the content there is the same: a child has it for the files it
 * takes over, under their new names where they were renamed, and not for those it changed. A draft keeps what it was told
 * as patches; finalizing lays them over what the parents say.
 */
import type { VersionRow } from "../../catalog/catalog.js";
import { DatasetError } from "../../errors.js";
import { EntryType } from "../../manifest/entry.js";
import { type Key, compareKeys, keyOf } from "../../manifest/key.js";
import { openRoot } from "../../manifest/root.js";
import { type TreePath, pathOfText, textOf } from "../../paths.js";
import type { Draft } from "../draft.js";
import { diffOf } from "../version-diff.js";
import { asyncRangeLoader } from "../version-tree.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import { type RowEdit, editPages, editRows, laidOver } from "./edit-pages.js";
import {
  type FieldsPatch,
  type FileFields,
  applyPatch,
  checkFields,
  combinePatches,
  patchOf,
} from "./fields.js";
import { type FileRow, type Page, PageWriter, readPage, readPages, rowsOf, tableRefSchema } from "./pages.js";

/** The annex kind of the table. */
export const FILE_METADATA_KIND = "fileMetadata";

export interface FileMetadataOptions {
  /** Whether fields that are not given are taken away. Default false: they stay. */
  replace?: boolean | undefined;
}

export interface FileMetadataItem {
  path: string;
  /** Null takes a field away. */
  fields: Readonly<Record<string, unknown>>;
}

/** Files whose patches are written in one transaction. */
const BATCH = 2_000;

/**
 * Notes what is said of files of a draft. Gives how many.
 *
 * @throws {DatasetError} `path-missing` for what the draft has not; `bad-input`. What came before stays noted.
 */
export async function setFileMetadata(
  draft: Draft,
  items: Iterable<FileMetadataItem> | AsyncIterable<FileMetadataItem>,
  { replace = false }: FileMetadataOptions = {},
): Promise<number> {
  let count = 0;
  let batch: { path: TreePath; patch: FieldsPatch }[] = [];
  const note = () => {
    draft.tree.staging.annexes.changePatches(batch, ({ patch }, staged) =>
      JSON.stringify(combinePatches(patchOf(staged), patch)),
    );
    count += batch.length;
    batch = [];
  };
  for await (const item of items) {
    const path = pathOfText(item.path);
    await requireFile(draft, path);
    batch.push({ path, patch: { replace, fields: checkFields(item.path, item.fields) } });
    if (batch.length >= BATCH) note();
  }
  note();
  return count;
}

/** What is said of one file; undefined for nothing. */
export async function fileMetadataAt(
  workspace: Workspace,
  version: VersionRow,
  draft: Draft | undefined,
  path: TreePath,
): Promise<FileFields | undefined> {
  if (!draft) return rowAt(workspace, await pagesOf(workspace, version), keyOf(path));
  const patch = patchOf(draft.tree.staging.annexes.patch(path));
  return applyPatch(await inheritedAt(workspace, draft, path), patch);
}

/** The pages of a finished version's table; none where nothing is said of its files. */
export async function pagesOf(workspace: Workspace, version: VersionRow): Promise<Page[]> {
  const annexes = await (await workspace.catalog()).annexesOf(version.id, FILE_METADATA_KIND);
  const last = annexes.at(-1);
  if (last === undefined) return [];
  return readPages(await workspace.cache(), tableRefSchema.parse(JSON.parse(last)));
}

/**
 * Writes the table of a version to be: what its parents say of files that are the same in it, with what was staged laid
 * over. Costs the pages that change, and nothing where nobody said anything.
 *
 * @param rootBytes The root of the new version.
 * @returns The annex.
 */
export async function writeFileMetadata(
  workspace: Workspace,
  draft: Draft,
  rootBytes: Uint8Array,
  remote: OpenedRemote,
): Promise<string[]> {
  const cache = await workspace.cache();
  const inherited = await inheritedTables(workspace, draft, rootBytes);
  if (inherited.length === 0 && !draft.tree.staging.annexes.hasPatches) return [];
  await dropPatchesOfNothing(draft);
  const writer = new PageWriter(remote);
  const [first, ...others] = inherited;
  // A squashed version that copies all it holds names no other remote.
  if (others.length === 0 && !draft.squash?.copies) {
    const edits = withPatches(first?.edits ?? [], stagedEdits(draft));
    await editPages(cache, first?.pages ?? [], edits, writer);
  } else {
    const tables = inherited.map(({ pages, edits }) => editRows(rowsOf(cache, pages), edits));
    const merged = tables.reduce((rows: AsyncIterable<FileRow>, over) => laidOver(rows, over));
    for await (const row of editRows(merged, stagedEdits(draft))) await writer.add(row);
  }
  const table = await writer.finish();
  return table ? [JSON.stringify(table)] : [];
}

interface InheritedTable {
  pages: Page[];
  /** What has become of its files, in the order of the tree. */
  edits: RowEdit[];
}

async function inheritedTables(
  workspace: Workspace,
  draft: Draft,
  rootBytes: Uint8Array,
): Promise<InheritedTable[]> {
  const cache = await workspace.cache();
  const tables: InheritedTable[] = [];
  for (const { version, tree } of draft.layers) {
    const pages = await pagesOf(workspace, version);
    if (pages.length === 0) continue;
    const diff = await diffOf(tree, { root: openRoot(rootBytes) }, asyncRangeLoader(cache));
    const gone = [...diff.removed, ...diff.modified, ...diff.renamed.map(({ from }) => from)];
    const edits = new Map<Key, RowEdit["change"]>(gone.map((path) => [keyOf(path), () => undefined]));
    for await (const { to, fields } of movedRows(workspace, pages, diff.renamed))
      edits.set(keyOf(to), () => fields);
    const sorted = [...edits].map(([key, change]) => ({ key, change }));
    tables.push({ pages, edits: sorted.sort((a, b) => compareKeys(a.key, b.key)) });
  }
  return tables;
}

/** In the order in which their pages lie, so that each is read once. */
async function* movedRows(
  workspace: Workspace,
  pages: readonly Page[],
  renamed: readonly { from: TreePath; to: TreePath }[],
): AsyncGenerator<{ to: TreePath; fields: FileFields }> {
  const cache = await workspace.cache();
  const inOrder = renamed
    .map(({ from, to }) => ({ key: keyOf(from), to }))
    .sort((a, b) => compareKeys(a.key, b.key));
  let current: { page: Page | undefined; rows: Map<Key, FileFields> } = { page: undefined, rows: new Map() };
  for (const { key, to } of inOrder) {
    const page = pageOf(pages, key);
    if (page && page !== current.page) current = { page, rows: fieldsByKey(await readPage(cache, page)) };
    const fields = page && current.rows.get(key);
    if (fields) yield { to, fields };
  }
}

function fieldsByKey(rows: readonly FileRow[]): Map<Key, FileFields> {
  return new Map(rows.map(({ key, fields }) => [key, fields]));
}

function pageOf(pages: readonly Page[], key: Key): Page | undefined {
  return pages.findLast(({ firstKey }) => firstKey <= key);
}

async function rowAt(
  workspace: Workspace,
  pages: readonly Page[],
  key: Key,
): Promise<FileFields | undefined> {
  const page = pageOf(pages, key);
  return page && fieldsByKey(await readPage(await workspace.cache(), page)).get(key);
}

/** What the parents say of a path that the draft has not touched. */
async function inheritedAt(
  workspace: Workspace,
  draft: Draft,
  path: TreePath,
): Promise<FileFields | undefined> {
  if (draft.tree.staging.get(path)) return undefined;
  for (const { version } of draft.layers.toReversed()) {
    const fields = await rowAt(workspace, await pagesOf(workspace, version), keyOf(path));
    if (fields) return fields;
  }
  return undefined;
}

function* stagedEdits(draft: Draft): Generator<RowEdit> {
  for (const { key, patch } of draft.tree.staging.annexes.patches())
    yield { key, change: (fields) => applyPatch(fields, patchOf(patch)) };
}

/** Two runs of edits as one; where both have a key, the second is applied to what the first gives. */
function* withPatches(edits: readonly RowEdit[], patches: Iterable<RowEdit>): Generator<RowEdit> {
  let at = 0;
  for (const patch of patches) {
    while (at < edits.length && edits[at]!.key < patch.key) yield edits[at++]!;
    const before = edits[at]?.key === patch.key ? edits[at++] : undefined;
    yield before ? { key: patch.key, change: (fields) => patch.change(before.change(fields)) } : patch;
  }
  yield* edits.slice(at);
}

/** What was said of files that the draft has come to lose is dropped. */
async function dropPatchesOfNothing(draft: Draft): Promise<void> {
  const { annexes } = draft.tree.staging;
  const missing: TreePath[] = [];
  for (const path of annexes.patchedInBaseOnly()) {
    const entry = await draft.tree.inBase(path);
    if (!entry || entry.type === EntryType.directory) missing.push(path);
  }
  annexes.dropPatches(missing);
}

async function requireFile(draft: Draft, path: TreePath): Promise<void> {
  const entry = await draft.tree.get(path);
  const shown = textOf(path);
  if (!entry) {
    const message = `Cannot set metadata of "${shown}": the version has no such path`;
    throw new DatasetError("path-missing", { path: shown }, message);
  }
  if (entry.type !== EntryType.directory) return;
  const message = `Cannot set metadata of "${shown}": it is a folder; set it for the files in it`;
  throw new DatasetError("bad-input", { value: shown }, message);
}
