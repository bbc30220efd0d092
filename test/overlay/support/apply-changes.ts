/** Applies the changes of a snapshot to a version, as a commit does, and gives the tree that results. */
import assert from "node:assert/strict";
import type { ChangedEntry, OverlaySnapshot } from "../../../src/fs/overlay/snapshot.js";
import { FileType } from "../../../src/fs/filesystem.js";
import { type Entry, EntryType } from "../../../src/manifest/entry.js";
import type { TreePath } from "../../../src/paths.js";
import { isWithin } from "../../../src/paths.js";
import type { MemoryBase } from "./memory-base.js";
import { type NodeState, type TreeState, XATTRS, firstOf } from "./tree-state.js";

interface Kept extends NodeState {
  ino: number;
}

export async function applyChanges(base: MemoryBase, snapshot: OverlaySnapshot): Promise<TreeState> {
  const tree = new Map<string, Kept>();
  const original = base.complete(() =>
    base.entries.map(
      (entry, ordinal) => [entry.path, keptOf(base, entry, base.shared(ordinal) + 1)] as const,
    ),
  );
  for (const [path, kept] of original) tree.set(path, kept);
  const removeBelow = (path: TreePath): void => {
    for (const other of [...tree.keys()]) if (isWithin(other as TreePath, path)) tree.delete(other);
  };
  for await (const change of snapshot.changes()) {
    if (change.kind === "remove") {
      assert.ok(tree.has(change.path), `removed "${change.path}", which is not there`);
      removeBelow(change.path);
    } else if (change.kind === "graft") {
      const from = base.complete(() => base.path(change.from));
      for (const [path, kept] of original)
        if (isWithin(path, from)) tree.set(change.path + path.slice(from.length), kept);
    } else if (change.kind === "put") {
      const { entry, content } = change;
      const node = nodeOf(entry);
      if (content.kind === "overlaid") node.content = await textOf(snapshot, content.ino);
      if (content.kind === "base")
        node.content = Buffer.from(base.contentOf(base.complete(() => base.path(content.ordinal)))).toString(
          "latin1",
        );
      tree.set(change.path, node);
    }
  }
  return stateOf(tree);
}

/** In the order of a walk, by which the first of several links is told. */
function stateOf(tree: Map<string, Kept>): TreeState {
  const firsts = new Map<number, string>();
  const byWalk = (a: string, b: string): number => {
    const [left, right] = [a.split("/"), b.split("/")];
    const at = left.findIndex((part, index) => part !== right[index]);
    if (at < 0) return -1;
    return (right[at] ?? "") > left[at]! ? -1 : 1;
  };
  const paths = [...tree.keys()].sort((a, b) => (a === b ? 0 : a === "" ? -1 : b === "" ? 1 : byWalk(a, b)));
  return Object.fromEntries(
    paths.map((path) => {
      const { ino, ...node } = tree.get(path)!;
      return [path, node.content === undefined ? node : { ...node, first: firstOf(firsts, ino, path) }];
    }),
  );
}

const TYPES = { 1: FileType.directory, 2: FileType.file, 3: FileType.symlink, 4: FileType.file };

function keptOf(base: MemoryBase, entry: Entry, ino: number): Kept {
  const node: Kept = { ino, mode: TYPES[entry.type] | entry.mode, ...xattrsOf(entry.xattrs) };
  if (entry.type === EntryType.file)
    node.content = Buffer.from(base.contentOf(entry.path)).toString("latin1");
  if (entry.type === EntryType.symlink) node.target = entry.target;
  return node;
}

function nodeOf({ ino, mode, type, target, xattrs }: ChangedEntry): Kept {
  return { ino, mode: TYPES[type] | mode, ...(target === undefined ? {} : { target }), ...xattrsOf(xattrs) };
}

function xattrsOf(xattrs: ReadonlyMap<string, Uint8Array> | undefined): Pick<NodeState, "xattrs"> {
  const found = XATTRS.flatMap((name) => {
    const value = xattrs?.get(name);
    return value ? [[name, Buffer.from(value).toString("utf8")]] : [];
  });
  return found.length > 0 ? { xattrs: Object.fromEntries(found) as Record<string, string> } : {};
}

/** Read in uneven pieces, as nobody promises that readers ask for blocks. */
async function textOf(snapshot: OverlaySnapshot, ino: number): Promise<string> {
  const content = await snapshot.openContent(ino);
  try {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < content.sizeBytes; at += 1_777)
      pieces.push(await content.read(at, Math.min(at + 1_777, content.sizeBytes)));
    const bytes = Buffer.concat(pieces);
    for (const [start, end] of content.holes ?? [])
      assert.ok(bytes.subarray(start, end).every((byte) => byte === 0));
    return bytes.toString("latin1");
  } finally {
    await content.close();
  }
}
