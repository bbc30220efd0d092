/**
 * One range of a tree, read where its bytes lie: no object is made for an entry until somebody asks for that entry.
 * The bytes have passed `range-check.ts`, so nothing is checked again here.
 */
import type { Chunk, PackId, RemoteId, Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { type TreePath, joinPath } from "../paths.js";
import { readI64, readU64 } from "./binary.js";
import { type Entry, EntryType } from "./entry.js";
import { type Extras, readExtras } from "./extras.js";

import { type Key, childKey } from "./key.js";
import { chunkListsOf, chunksOf, packsOf } from "./range-chunks.js";
import { sameContent, sameLogical } from "./range-compare.js";
import { entryOf } from "./range-entry.js";
import {
  Field,
  type Layout,
  NO_EXTRAS,
  OWNER_BYTES,
  RANGE_WHAT,
  RECORD_BYTES,
  sha256At,
} from "./range-layout.js";
import {
  groupLowerBound,
  groupOf,
  indexOf,
  isGroup,
  lowerBound,
  nameSpan,
  pathSpan,
  startOfGroup,
} from "./range-search.js";
import type { Totals } from "./totals.js";

export class Range {
  /** How many entries it holds, at least one. Indexes are `[0, count)`, in the order of keys. */
  readonly count: number;
  readonly logicalBytes: number;
  readonly firstKey: Key;

  /** The group of the last question: most questions are about neighbours. */
  private group = 0;
  private groupPath: TreePath | undefined;
  #id: Sha256 | undefined;
  #chunkLists: Sha256 | undefined;

  /** @param layout Checked: see `openRange`. */
  constructor(private readonly layout: Layout) {
    this.count = layout.entryCount;
    this.logicalBytes = layout.logicalBytes;
    this.firstKey = this.keyAt(0);
  }

  /** The hash of the logical block, computed when first asked for. */
  id(): Sha256 {
    return (this.#id ??= sha256(this.layout.bytes.subarray(0, this.logicalBytes)));
  }

  /** What its files of several chunks consist of (`chunkListsOf`), computed when first asked for. */
  chunkLists(): Sha256 {
    return (this.#chunkLists ??= chunkListsOf(this.layout));
  }

  /** Index of the entry `name` in the directory `parent`, or -1. The root is `("", "")`. */
  indexOf(parent: TreePath, name: string): number {
    return indexOf(this.layout, parent, name);
  }

  /** Index of the first entry whose key is not below that of `name` in `parent`; `count` when there is none. */
  lowerBound(parent: TreePath, name: string): number {
    return lowerBound(this.layout, parent, name);
  }

  /** Indexes `[start, end)` of those children of a directory that lie in this range. The root is nobody's child. */
  childrenOf(parent: TreePath): { start: number; end: number } {
    const group = groupLowerBound(this.layout, parent);
    const start = startOfGroup(this.layout, group);
    if (!isGroup(this.layout, group, parent)) return { start, end: start };
    return { start: this.isRoot(start) ? start + 1 : start, end: startOfGroup(this.layout, group + 1) };
  }

  typeAt(index: number): EntryType {
    return this.layout.bytes[this.record(index) + Field.type]! as EntryType;
  }

  modeAt(index: number): number {
    return this.layout.view.getUint16(this.record(index) + Field.mode, true);
  }

  uidAt(index: number): number {
    return this.layout.view.getUint32(this.owner(index), true);
  }

  gidAt(index: number): number {
    return this.layout.view.getUint32(this.owner(index) + 4, true);
  }

  mtimeSecAt(index: number): number {
    return readI64(this.layout.view, this.record(index) + Field.mtimeSec);
  }

  mtimeNsecAt(index: number): number {
    return this.layout.view.getUint32(this.record(index) + Field.mtimeNsec, true);
  }

  /** Zero for directories and symbolic links. */
  sizeAt(index: number): number {
    return readU64(this.layout.view, this.record(index) + Field.size);
  }

  /** The hash of a file, or of a link where it is known; undefined for the rest. */
  sha256At(index: number): Sha256 | undefined {
    const type = this.typeAt(index);
    const known = type === EntryType.file || (type === EntryType.link && this.extrasAt(index)!.hashed);
    return known ? sha256At(this.layout.bytes, this.record(index) + Field.sha256) : undefined;
  }

  nameAt(index: number): string {
    const { start, end } = nameSpan(this.layout, index);
    return this.layout.bytes.toString("latin1", start, end);
  }

  /** The directory an entry lies in. */
  parentAt(index: number): TreePath {
    const group = groupOf(this.layout, index, this.group);
    if (group === this.group && this.groupPath !== undefined) return this.groupPath;
    const { start, end } = pathSpan(this.layout, group);
    this.group = group;
    return (this.groupPath = this.layout.bytes.toString("latin1", start, end) as TreePath);
  }

  pathAt(index: number): TreePath {
    return joinPath(this.parentAt(index), this.nameAt(index));
  }

  keyAt(index: number): Key {
    return childKey(this.parentAt(index), this.nameAt(index));
  }

  /** The target of a symbolic link; empty for the rest. */
  targetAt(index: number): string {
    return this.extrasAt(index)?.target ?? "";
  }

  /** What most entries do not have; undefined for an entry that has none of it. */
  extrasAt(index: number): Extras | undefined {
    const { bytes, view, heap, logicalBytes } = this.layout;
    const offset = view.getUint32(this.record(index) + Field.extras, true);
    return offset === NO_EXTRAS ? undefined : readExtras(bytes, heap + offset, logicalBytes, RANGE_WHAT);
  }

  /** Where the bytes of a file lie, in order; empty for an empty file and for what is no file. */
  chunksAt(index: number): Chunk[] {
    return chunksOf(this.layout, index);
  }

  /** The packs in which its files' bytes lie. */
  packs(): { pack: PackId; remote: RemoteId }[] {
    return packsOf(this.layout);
  }

  /** The whole entry as an object. */
  entryAt(index: number): Entry {
    return entryOf(this, index);
  }

  /** Whether two entries keep the same, but for their paths and where their bytes lie. */
  sameLogical(index: number, other: Range, otherIndex: number): boolean {
    return sameLogical(this.layout, index, other.layout, otherIndex);
  }

  /** Whether the content digest sees the same in two entries, but for their paths. */
  sameContent(index: number, other: Range, otherIndex: number): boolean {
    return sameContent(this.layout, index, other.layout, otherIndex);
  }

  /** How many entries of each kind. Costs a pass over them. */
  totals(): Totals {
    const counts = [0, 0, 0, 0, 0];
    let contentBytes = 0;
    for (let i = 0; i < this.count; i++) {
      counts[this.typeAt(i)]! += 1;
      contentBytes += this.sizeAt(i);
    }
    const [, directories, files, symlinks, links] = counts as [number, number, number, number, number];
    return { entries: this.count, files, directories, symlinks, links, contentBytes };
  }

  private record(index: number): number {
    return this.layout.records + index * RECORD_BYTES;
  }

  private owner(index: number): number {
    const { view, owners } = this.layout;
    return owners + view.getUint16(this.record(index) + Field.owner, true) * OWNER_BYTES;
  }

  private isRoot(index: number): boolean {
    return this.layout.bytes[this.record(index) + Field.nameLength] === 0;
  }
}
