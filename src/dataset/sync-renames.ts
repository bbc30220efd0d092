/**
 * Finds, after a sync was staged, which new files are removed ones that moved: by their hash, where sizes are equal. They
 * take over the chunks they have, so that upload need not read them, and are counted as renamed.
 */
import { hashFiles } from "../content/hash-files.js";
import type { HashedContent } from "../content/source.js";
import { type Entry, EntryType, type FileEntry } from "../manifest/entry.js";
import { findRenames } from "../manifest/renames.js";
import type { TreePath } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { type SettleOptions, isAsScanned } from "./entry-stage.js";
import { Effect, type Source } from "./staging.js";
import type { Stamps } from "./stamps.js";

interface Candidate {
  entry: FileEntry;
  source: Extract<Source, { kind: "file" }>;
}

type Hashed = HashedContent<Candidate>;

/**
 * Gives how many were renamed. Costs the reading of new files that have the size of a removed one.
 *
 * @param removed What the sync took away.
 * @param added Paths of files that it staged and that were not there.
 */
export async function stageRenames(
  tree: DraftTree,
  stamps: Stamps,
  removed: readonly Entry[],
  added: readonly TreePath[],
  { maxWorkers: workers, signal }: SettleOptions,
): Promise<number> {
  const gone = removed.filter(
    (entry): entry is FileEntry => entry.type === EntryType.file && entry.sha256 !== "",
  );
  const sizes = new Set(gone.map(({ sizeBytes }) => sizeBytes));
  const startedMs = Date.now();
  const hashed = new Map<TreePath, Hashed>();
  for await (const content of hashFiles(candidatesIn(tree, added, sizes), { workers, signal }))
    if (isAsScanned(content, content.id.entry)) hashed.set(content.id.entry.path, content);
  const moved = renamesAmong(gone, hashed);
  tree.staging.transaction(() => {
    for (const { content, before } of moved) tree.staging.put(movedEntry(content, before), Effect.content);
  });
  stamps.remember(
    moved.map(({ content }) => stampedOf(content)),
    startedMs,
  );
  return moved.length;
}

function* candidatesIn(tree: DraftTree, added: readonly TreePath[], sizes: ReadonlySet<number>) {
  for (const path of added) {
    const source = tree.staging.sourceOf(path);
    const entry = tree.staging.get(path);
    if (source?.kind !== "file" || entry?.type !== EntryType.file || !sizes.has(entry.sizeBytes)) continue;
    yield { id: { entry, source }, sizeBytes: entry.sizeBytes, path: source.path };
  }
}

function renamesAmong(
  gone: readonly FileEntry[],
  hashed: ReadonlyMap<TreePath, Hashed>,
): { content: Hashed; before: FileEntry }[] {
  const before = new Map(gone.map((entry) => [entry.path, entry]));
  const { renamed } = findRenames([
    ...gone.map((entry) => ({ kind: "removed" as const, path: entry.path, before: entry })),
    ...[...hashed.values()].map(({ id, sha256 }) => {
      return { kind: "added" as const, path: id.entry.path, after: { ...id.entry, sha256 } };
    }),
  ]);
  return renamed.map(({ from, to }) => ({ content: hashed.get(to)!, before: before.get(from)! }));
}

function movedEntry({ id, sha256, holes }: Hashed, { chunks }: FileEntry): FileEntry {
  return { ...id.entry, sha256, chunks, ...(holes && { holes }) };
}

function stampedOf({ id: { entry, source }, sha256 }: Hashed) {
  return { path: source.path, stamp: source.stamp, sha256, hasXattrs: entry.xattrs !== undefined };
}
