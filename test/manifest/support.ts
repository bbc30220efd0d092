/** Trees in memory for the tests of the manifest: building, reading back, and random ones that are valid. */
import fc from "fast-check";
import { type Chunk, EMPTY_SHA256, type RemoteId, type Sha256 } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { type Edits } from "../../src/manifest/edit-source.js";
import { type EditedTree, editTree } from "../../src/manifest/edit.js";
import {
  type Entry,
  EntryType,
  type FileEntry,
  type LinkableEntry,
  hardLinksOf,
  isLinkable,
} from "../../src/manifest/entry.js";
import { comparePaths, keyHash, childKey } from "../../src/manifest/key.js";
import { type EncodedRange, type Range, openRange } from "../../src/manifest/range.js";
import { type RangeRef, encodeRoot, openRoot } from "../../src/manifest/root.js";
import { Tree } from "../../src/manifest/tree.js";
import { type TreePath, joinPath, parentOf } from "../../src/paths.js";

export const REMOTE = "00112233445566778899aabbccddeeff" as RemoteId;
export const OTHER_REMOTE = "ffeeddccbbaa99887766554433221100" as RemoteId;

export function path(text: string): TreePath {
  return text as TreePath;
}

/** A hash that stands for some content. */
export function hashFor(text: string): Sha256 {
  return sha256(Buffer.from(text));
}

/** Ranges by the name of their object, and what was asked of them. */
export class MemoryRanges {
  readonly loads: RangeRef[] = [];
  readonly puts: EncodedRange[] = [];
  readonly #ranges = new Map<Sha256, Range>();

  put = async (range: EncodedRange): Promise<void> => {
    this.puts.push(range);
    this.#ranges.set(range.object, openRange(range.bytes, range.remote));
  };

  load = async (ref: RangeRef): Promise<Range> => this.read(ref);

  read = (ref: RangeRef): Range => {
    this.loads.push(ref);
    return this.#ranges.get(ref.object)!;
  };

  /** A tree over what an edit gave. */
  tree(edited: EditedTree): Tree {
    return new Tree(openRoot(encodeRoot({ remote: REMOTE, segments: [], ranges: edited.ranges })), this.read);
  }

  edit(base: Tree | undefined, edits: Edits): Promise<EditedTree> {
    return editTree(base, edits, { load: this.load, put: this.put, remote: REMOTE });
  }

  /** The tree of `entries`, in any order. */
  async build(entries: Iterable<Entry>): Promise<Tree> {
    return this.tree(await this.edit(undefined, sorted(entries)));
  }

  /** Forgets what was asked so far. */
  forget(): void {
    this.loads.length = 0;
    this.puts.length = 0;
  }
}

export function sorted<T extends { path: TreePath }>(entries: Iterable<T>): T[] {
  return [...entries].sort((a, b) => comparePaths(a.path, b.path));
}

const COMMON = { mode: 0o755, mtimeSec: 1_700_000_000, mtimeNsec: 1, uid: 1000, gid: 1000 };

export function directory(at: string, changes: Partial<Entry> = {}): Entry {
  return { ...COMMON, path: path(at), type: EntryType.directory, ...changes } as Entry;
}

/** A file of one chunk whose content is told by `content`. */
export function file(at: string, content = at, changes: Partial<FileEntry> = {}): FileEntry {
  const sizeBytes = content.length;
  const hash = sizeBytes === 0 ? EMPTY_SHA256 : hashFor(content);
  const chunks = sizeBytes === 0 ? [] : [chunkOf(hash, sizeBytes)];
  return {
    ...COMMON,
    path: path(at),
    mode: 0o644,
    type: EntryType.file,
    sizeBytes,
    sha256: hash,
    chunks,
    ...changes,
  };
}

/** A chunk that lies somewhere. */
export function chunkOf(hash: Sha256, sizeBytes: number, pack = "pack", remote = REMOTE): Chunk {
  return { hash, sizeBytes, remote, pack: hashFor(pack), offset: 7, storedBytes: sizeBytes, codec: 0 };
}

/** What a tree holds, read through its accessors. */
export function entriesOf(tree: Tree): Entry[] {
  return [...tree.entries()];
}

/** What a tree is, whatever objects hold it. */
export function identityOf({ root }: Tree) {
  const ids = Array.from({ length: root.rangeCount }, (_, i) => root.rangeAt(i).id);
  return { ids, tree: root.treeDigest, content: root.contentDigest, totals: root.totals };
}

/** A name in `parent` after whose entry a range ends. */
export function cuttingName(parent: TreePath, start: string): string {
  for (let i = 0; ; i++)
    if ((keyHash(childKey(parent, start + String(i))) & 2047) === 0) return start + String(i);
}

/** Paths whose order is easily got wrong, with siblings that end ranges, so that small trees have many. */
export const PATHS: readonly TreePath[] = ["", "a", "a!", "a/b", "a/b/c", "d", "\xff"].flatMap((parent) => {
  const names = [
    "a",
    "a!",
    "b",
    "c",
    "d",
    "\x01",
    "\xff",
    cuttingName(path(parent), "e"),
    cuttingName(path(parent), "b"),
  ];
  return names.map((name) => joinPath(path(parent), name));
});

/** How a path is filled: what it is and which of a few contents and attributes it has. */
interface Fill {
  kind: "absent" | "directory" | "file" | "linked" | "linked symlink" | "symlink" | "link";
  content: number;
  metadata: number;
}

const fill: fc.Arbitrary<Fill> = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constant("absent" as const) },
    { weight: 3, arbitrary: fc.constant("directory" as const) },
    { weight: 3, arbitrary: fc.constant("file" as const) },
    { weight: 2, arbitrary: fc.constant("linked" as const) },
    { weight: 1, arbitrary: fc.constant("linked symlink" as const) },
    { weight: 1, arbitrary: fc.constantFrom("symlink" as const, "link" as const) },
  ),
  content: fc.nat(3),
  metadata: fc.nat(2),
});

/** Entries of a valid tree, by path; the places of bytes differ from one tree to the next. */
export const treeEntries: fc.Arbitrary<Map<TreePath, Entry>> = fc
  .tuple(fc.array(fill, { minLength: PATHS.length, maxLength: PATHS.length }), fc.nat(5))
  .map(([fills, pack]) => treeOfFills(fills, `pack ${pack}`));

/** As `treeEntries`, where a path is a directory in all of these trees or in none. */
export const alikeTreeEntries: fc.Arbitrary<Map<TreePath, Entry>> = fc
  .tuple(fc.array(fill, { minLength: PATHS.length, maxLength: PATHS.length }), fc.nat(5))
  .map(([fills, pack]) => {
    const alike = fills.map((one, i): Fill => {
      const isDirectory = PATHS.some((other) => parentOf(other) === PATHS[i]);
      if (isDirectory) return { ...one, kind: "directory" };
      return one.kind === "directory" ? { ...one, kind: "absent" } : one;
    });
    return treeOfFills(alike, `pack ${pack}`);
  });

function treeOfFills(fills: readonly Fill[], pack: string): Map<TreePath, Entry> {
  const entries = new Map<TreePath, Entry>([[path(""), directory("", { mtimeSec: fills[0]!.metadata })]]);
  const order = PATHS.map((at, i) => ({ at, one: fills[i]! })).sort((a, b) => comparePaths(a.at, b.at));
  for (const { at, one } of order)
    if (one.kind !== "absent" && entries.get(parentOf(at))?.type === EntryType.directory)
      entries.set(at, filled(at, one, pack));
  return grouped(entries, (entry) => hardLinksOf(entry)?.[0]);
}

function filled(at: TreePath, { kind, content, metadata }: Fill, pack: string): Entry {
  const common = { ...COMMON, path: at, mode: metadata === 2 ? 0o600 : 0o755, mtimeSec: metadata };
  if (kind === "directory") return { ...common, type: EntryType.directory };
  if (kind === "symlink") return { ...common, type: EntryType.symlink, target: `to ${content}` };
  if (kind === "linked symlink") {
    const [target, mtimeSec] = [`to ${content % 2}`, 9];
    return {
      ...common,
      mtimeSec,
      mode: 0o777,
      type: EntryType.symlink,
      target,
      hardLinks: [path(`group ${target}`)],
    };
  }
  if (kind === "link") {
    const known = metadata === 0 ? { sha256: hashFor(`${content}`) } : {};
    return {
      ...common,
      type: EntryType.link,
      sizeBytes: content,
      url: `https://x/${content}`,
      pin: "",
      ...known,
    };
  }
  // Few contents for linked files, so that groups have members.
  const text = "x".repeat(kind === "linked" ? content % 2 : content);
  const chunks = text === "" ? [] : [chunkOf(hashFor(text), text.length, pack)];
  const plain = file(at, text, { mode: common.mode, mtimeSec: metadata, chunks });
  // Stands for the group until `grouped` names the members.
  return kind === "linked"
    ? { ...plain, mtimeSec: 9, mode: 0o640, hardLinks: [path(`group ${text}`)] }
    : plain;
}

/** Names hard links as entries want them, of those for which `groupOf` gives the same. */
export function grouped(
  entries: ReadonlyMap<TreePath, Entry>,
  groupOf: (entry: LinkableEntry) => string | undefined,
): Map<TreePath, Entry> {
  const groups = new Map<string, TreePath[]>();
  for (const entry of sorted(entries.values())) {
    const group = isLinkable(entry) ? groupOf(entry) : undefined;
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), entry.path]);
  }
  const named = new Map<TreePath, TreePath[]>();
  for (const [first, ...others] of groups.values()) {
    if (others.length > 0) named.set(first!, others);
    for (const other of others) named.set(other, [first!]);
  }
  return new Map([...entries].map(([at, entry]) => [at, withLinks(entry, named.get(at))]));
}

/** The member of a file's hard-link group that sorts first; the file itself when it has one name. */
export function firstOf({ path: at, hardLinks = [] }: LinkableEntry): TreePath {
  return [at, ...hardLinks].sort(comparePaths)[0]!;
}

function withLinks(entry: Entry, hardLinks: TreePath[] | undefined): Entry {
  if (!isLinkable(entry)) return entry;
  const named: LinkableEntry = { ...entry, hardLinks };
  if (!hardLinks) delete named.hardLinks;
  return named;
}
