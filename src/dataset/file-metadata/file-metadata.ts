/**
 * Metadata of single files. It belongs to a path as long as the content there is the same: a child has it for the files it
 * takes over, under their new names where they were renamed, and not for those it changed. A draft keeps what it was told
 * as patches; finalizing lays them over what the parents say.
 */
import type { Cache } from "../../cache/cache.js";
import type { VersionRow } from "../../catalog/catalog.js";
import { DatasetError } from "../../errors.js";
import { EntryType } from "../../manifest/entry.js";
import { type Key, compareKeys, keyOf } from "../../manifest/key.js";
import { openRoot } from "../../manifest/root.js";
import type { Tree } from "../../manifest/tree.js";
import { type TreePath, pathOfText, textOf } from "../../paths.js";
import { amend } from "../amend.js";
import type { Draft } from "../draft.js";
import type { FoundVersion } from "../history.js";
import { remoteOf } from "../metadata.js";
import { diffOf } from "../version-diff.js";
import { asyncRangeLoader, openVersionTree } from "../version-tree.js";
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
import { type FileRow, PageWriter } from "./pages.js";
import { FILE_METADATA_KIND, type FileTable, isEmpty, openFileTable, tableRow, tableRows } from "./table.js";

export interface FileMetadataOptions {
  /** Whether fields that are not given are taken away. Default false: they stay. */
  replace?: boolean | undefined;
}

export interface FileMetadataItem {
  path: string;
  /** Null takes a field away. */
  fields: Readonly<Record<string, unknown>>;
}

/** Files of a finished version that one call may speak of: its amendment is sorted in memory. */
const AMENDED_MAX = 100_000;
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

/**
 * The same of a finished version, by one amendment, which whoever reads lays over what its record says.
 *
 * @throws {DatasetError} as `setFileMetadata`, and nothing is said then
 */
export async function amendFileMetadata(
  workspace: Workspace,
  { dataset, version }: FoundVersion,
  items: Iterable<FileMetadataItem> | AsyncIterable<FileMetadataItem>,
  { replace = false }: FileMetadataOptions = {},
): Promise<number> {
  const cache = await workspace.cache();
  const tree = await openVersionTree(workspace, version);
  const patches = new Map<TreePath, FieldsPatch>();
  for await (const item of items) {
    const path = pathOfText(item.path);
    if ((await cache.complete(() => typeAt(tree, path))) !== "file") throw noFile(path);
    patches.set(
      path,
      combinePatches(patches.get(path), { replace, fields: checkFields(item.path, item.fields) }),
    );
    if (patches.size > AMENDED_MAX) throw tooManyAmended();
  }
  const rows = [...patches].map(([path, patch]) => ({ key: keyOf(path), path, fields: { ...patch } }));
  const writer = new PageWriter(await remoteOf(workspace, version.remoteId));
  for (const row of rows.sort((a, b) => compareKeys(a.key, b.key))) await writer.add(row);
  const table = await writer.finish();
  if (!table) return 0;
  const add = JSON.stringify({ ...table, patches: true });
  await amend(workspace, dataset, { kind: "annex", version: version.id, annex: FILE_METADATA_KIND, add });
  return rows.length;
}

/** What is said of one file; undefined for nothing. */
export async function fileMetadataAt(
  workspace: Workspace,
  version: VersionRow,
  draft: Draft | undefined,
  path: TreePath,
): Promise<FileFields | undefined> {
  if (!draft) return tableRow(await workspace.cache(), await openFileTable(workspace, version), keyOf(path));
  const patch = patchOf(draft.tree.staging.annexes.patch(path));
  return applyPatch(await inheritedAt(workspace, draft, path), patch);
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
  if (others.length === 0 && !draft.squash?.copies && !first?.table.patches.length) {
    const edits = withPatches(first?.edits ?? [], stagedEdits(draft));
    await editPages(cache, first?.table.pages ?? [], edits, writer);
  } else {
    const tables = inherited.map(({ table, edits }) => editRows(tableRows(cache, table), edits));
    const merged = tables.reduce((rows: AsyncIterable<FileRow>, over) => laidOver(rows, over));
    for await (const row of editRows(merged, stagedEdits(draft))) await writer.add(row);
  }
  const table = await writer.finish();
  return table ? [JSON.stringify(table)] : [];
}

interface InheritedTable {
  table: FileTable;
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
    const table = await openFileTable(workspace, version);
    if (isEmpty(table)) continue;
    const diff = await diffOf(tree, { root: openRoot(rootBytes) }, asyncRangeLoader(cache));
    const gone = [...diff.removed, ...diff.modified, ...diff.renamed.map(({ from }) => from)];
    const edits = new Map<Key, RowEdit["change"]>(gone.map((path) => [keyOf(path), () => undefined]));
    for await (const { to, fields } of movedRows(cache, table, diff.renamed))
      edits.set(keyOf(to), () => fields);
    const sorted = [...edits].map(([key, change]) => ({ key, change }));
    tables.push({ table, edits: sorted.sort((a, b) => compareKeys(a.key, b.key)) });
  }
  return tables;
}

/** In one pass over the table where files were renamed, and none where not. */
async function* movedRows(
  cache: Cache,
  table: FileTable,
  renamed: readonly { from: TreePath; to: TreePath }[],
): AsyncGenerator<{ to: TreePath; fields: FileFields }> {
  if (renamed.length === 0) return;
  const targets = new Map(renamed.map(({ from, to }) => [keyOf(from), to]));
  for await (const { key, fields } of tableRows(cache, table)) {
    const to = targets.get(key);
    if (to !== undefined) yield { to, fields };
  }
}

/** What the parents say of a path that the draft has not touched. */
async function inheritedAt(
  workspace: Workspace,
  draft: Draft,
  path: TreePath,
): Promise<FileFields | undefined> {
  if (draft.tree.staging.get(path)) return undefined;
  for (const { version } of draft.layers.toReversed()) {
    const fields = await tableRow(
      await workspace.cache(),
      await openFileTable(workspace, version),
      keyOf(path),
    );
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
  if (!entry || entry.type === EntryType.directory) throw noFile(path);
}

function typeAt(tree: Tree, path: TreePath): "file" | "folder" | undefined {
  const ordinal = tree.find(path);
  if (ordinal === undefined) return undefined;
  return tree.type(ordinal) === EntryType.directory ? "folder" : "file";
}

function noFile(path: TreePath): DatasetError<"path-missing"> {
  const shown = textOf(path);
  const message = `Cannot set metadata of "${shown}": the version has no such file`;
  return new DatasetError("path-missing", { path: shown }, message);
}

function tooManyAmended(): DatasetError<"bad-input"> {
  const message = `Cannot set metadata of over ${AMENDED_MAX} files of a finished version at once: do it in parts, or in a child`;
  return new DatasetError("bad-input", { value: "files" }, message);
}
