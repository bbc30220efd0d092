/** Writes the manifest of a version to be: ranges, index segments, then the root that names them. */
import pLimit from "p-limit";
import type { Cache } from "../cache/cache.js";
import { blockOfSegment, segmentKey } from "../content/segment.js";
import { sha256 } from "../content/hash.js";
import { mapInOrder } from "../content/in-order.js";
import { type EditedTree, editTree } from "../manifest/edit.js";
import { type Edit, EntryType } from "../manifest/entry.js";
import { type EncodedRange } from "../manifest/range.js";
import { type RangeRef, blockOfRange, rangeKey } from "../manifest/range-ref.js";
import { encodeRoot, openRoot } from "../manifest/root.js";
import { ROOT, type TreePath, parentOf } from "../paths.js";
import type { Remote } from "../remote/remote.js";
import { knownChunks } from "./chunk-index.js";
import { type Draft, layersTree } from "./draft.js";
import { gatherPacks } from "./gather-packs.js";
import { NewSegments } from "../content/new-segments.js";
import type { VersionRecord } from "./record.js";
import { diffOf } from "./version-diff.js";
import { overriddenEdits } from "./overridden.js";
import { asyncRangeLoader, loadedTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

type Changes = VersionRecord["changes"];

export interface WrittenRoot {
  edited: EditedTree;
  root: VersionRecord["root"];
  rootBytes: Uint8Array;
  changes: Changes;
  /** How many edits of several parents it does not hold; undefined for less than two. */
  overridden: number | undefined;
}

/** Ranges sent at once: each is a few hundred KiB, and a remote at 15 ms a request needs several in flight. */
const PARALLEL_PUTS = 8;

/**
 * Writes the manifest of a draft's base with `edits` laid over it. Reads and writes what an edit touches; a version
 * without parents is not read again, however large.
 *
 * @param edits Sorted by key. All content they name is durable.
 */
export async function writeManifest(
  workspace: Workspace,
  draft: Draft,
  remote: Remote,
  edits: Iterable<Edit>,
): Promise<WrittenRoot> {
  const cache = await workspace.cache();
  const { tree, version } = draft;
  const segments = newSegments(draft, cache, remote);
  const parents = new ParentCount();
  const putRange = rangePutter(draft, cache, remote);
  const edited = await editTree(tree.base, noting(edits, segments, parents), {
    remote: draft.remote.id,
    load: asyncRangeLoader(cache),
    put: async (range) => {
      await segments.settled();
      await putRange(range);
    },
    relocate: gatherPacks(cache, { ...draft.remote, remote }),
  });
  const named = await segments.finish();
  const ranges =
    workspace.home.signingKey === undefined ? edited.ranges : await sayingChunks(edited.ranges, cache);
  const bytes = encodeRoot({ ranges, segments: named, remote: draft.remote.id });
  const root = { key: `roots/${version.id}/1`, hash: sha256(bytes), bytes: bytes.length };
  await remote.put(root.key, bytes, { sha256: root.hash });
  const isFirst = draft.layers.length === 0;
  const changes = draft.squash
    ? allAdded(edited)
    : isFirst
      ? parents.changesIn(edited)
      : await changesOf(workspace, draft, bytes);
  const overridden = await overriddenIn(workspace, draft, bytes);
  return { edited, root, rootBytes: bytes, changes, overridden };
}

function newSegments(draft: Draft, cache: Cache, remote: Remote): NewSegments {
  // A copy names nothing that lies in the remotes it was copied from.
  const older = draft.squash?.copies ? [] : draft.segments;
  return new NewSegments({
    older,
    known: knownChunks(older, cache),
    read: (segments) => cache.readMany(segments.map(blockOfSegment)),
    put: ({ ref, bytes }) => remote.put(segmentKey(ref.id), bytes, { sha256: ref.id }),
    remote: draft.remote.id,
  });
}

/**
 * References that all say which chunks files consist of, which a signature covers. Costs a look at those ranges that come
 * from a root that does not say it, once in the life of a dataset.
 */
async function sayingChunks(refs: readonly RangeRef[], cache: Cache): Promise<RangeRef[]> {
  const load = asyncRangeLoader(cache);
  const saying: RangeRef[] = [];
  for await (const ref of mapInOrder(refs, PARALLEL_PUTS, async (ref) => {
    const chunkLists = ref.chunkLists ?? (await load(ref)).chunkLists();
    return { ...ref, chunkLists };
  }))
    saying.push(ref);
  return saying;
}

/** Ranges of a child are read at once, to be compared with the parents': they stay on this machine. */
function rangePutter(
  { layers }: Draft,
  cache: Cache,
  remote: Remote,
): (range: EncodedRange) => Promise<void> {
  const limit = pLimit(PARALLEL_PUTS);
  return async ({ object, bytes, ref }) => {
    await limit(() => remote.put(rangeKey(object), bytes, { sha256: object }));
    if (layers.length > 0) cache.keep(blockOfRange(ref), bytes);
  };
}

/** Passes edits on, and notes the chunks of their files. */
function* noting(edits: Iterable<Edit>, segments: NewSegments, parents: ParentCount): Iterable<Edit> {
  for (const edit of edits) {
    if (edit.type === EntryType.file) for (const chunk of edit.chunks) segments.add(chunk);
    if (edit.type !== 0) parents.note(edit.path);
    yield edit;
  }
}

/** Counts directories that hold something: in the order of keys, the children of one directory follow each other. */
class ParentCount {
  #count = 0;
  #last: TreePath | undefined;

  note(path: TreePath): void {
    const parent = parentOf(path);
    if (path === ROOT || parent === this.#last) return;
    this.#last = parent;
    this.#count += 1;
  }

  /** What a first version adds: all it holds but its root and directories that something else tells of. */
  changesIn({ totals }: EditedTree): Changes {
    const added = totals.entries - Math.max(1, this.#count);
    return { added, modified: 0, metadata: 0, removed: 0, renamed: 0 };
  }
}

/** A squashed version has no parents; that it was not read anew tells nothing of its folders. */
function allAdded({ totals }: EditedTree): Changes {
  const added = totals.entries - totals.directories;
  return { added, modified: 0, metadata: 0, removed: 0, renamed: 0 };
}

async function overriddenIn(
  workspace: Workspace,
  draft: Draft,
  bytes: Uint8Array,
): Promise<number | undefined> {
  const { layers, merge, remote } = draft;
  if (layers.length < 2) return undefined;
  const result = loadedTree(await workspace.cache(), { root: openRoot(bytes) });
  return (await overriddenEdits(workspace, { layers, merge, remote: remote.id }, result)).length;
}

/** What the new tree changed against the parents' (merged) tree, in numbers. */
async function changesOf(workspace: Workspace, draft: Draft, bytes: Uint8Array): Promise<Changes> {
  const merged = await layersTree(workspace, draft);
  const diff = await diffOf(merged.tree, { root: openRoot(bytes) }, merged.load);
  return {
    added: diff.added.length,
    modified: diff.modified.length,
    metadata: diff.metadata.length,
    removed: diff.removed.length,
    renamed: diff.renamed.length,
  };
}
