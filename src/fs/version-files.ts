/**
 * A version's tree as a mount shows it: entries by ordinal with their attributes and bytes, hard links as one inode.
 * Inodes, handles and errno are left to the file systems built on it; which blocks to fetch early to `read-ahead.ts`.
 */
import { type Block, type LocalBlocks, Missing } from "../cache/block.js";
import type { Whole } from "../cache/whole.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import type { Extras } from "../manifest/extras.js";
import { keyOf } from "../manifest/key.js";
import type { Range } from "../manifest/range.js";
import type { Tree } from "../manifest/tree.js";
import type { TreePath } from "../paths.js";
import { entryFact } from "./explain/entry-facts.js";
import { type Attributes, FileType } from "./filesystem.js";
import { type Content, blocksOf } from "./content.js";
import { ContentMemory } from "./content-memory.js";
import { ReadAhead } from "./read-ahead.js";

export interface VersionFilesOptions {
  /** Whom the entries belong to, unless `preserveOwner`. */
  uid: number;
  gid: number;
  /** Show the owners that the entries keep. */
  preserveOwner: boolean;
  /** Told of blocks that are likely to be read soon while nothing waits for them. Default: nobody is told. */
  prefetch?: ((blocks: readonly Block[]) => void) | undefined;
  /** `project/name@label` of the version an entry came in with. Default: nobody can tell. */
  originOf?: ((ordinal: number) => string) | undefined;
  /** Have the cache keep large files in one piece. Default false. */
  keepsWholes?: boolean | undefined;
  /** Others than who mounts may look in: external files of this machine are refused then. Default false. */
  isShared?: boolean | undefined;
}

/** Size that `stat` shows for every directory: what most file systems show for a small one. */
const DIRECTORY_BYTES = 4096;

/** A version's tree as a mount shows it. Synchronous; throws `Missing` when a range or chunk is not on this machine. */
export class VersionFiles {
  readonly #contents: ContentMemory;
  readonly #ahead: ReadAhead;

  constructor(
    readonly tree: Tree,
    private readonly blocks: LocalBlocks,
    private readonly options: VersionFilesOptions,
  ) {
    const { keepsWholes = false, isShared = false } = options;
    this.#contents = new ContentMemory(tree, { keepsWholes, isShared });
    this.#ahead = new ReadAhead(tree, blocks);
  }

  /** The ordinal of the entry `name` in a directory, if there is one. */
  child(parent: number, name: string): number | undefined {
    return this.tree.findChild(this.tree.path(parent), name);
  }

  /** The ordinals `[start, end)` of what a directory holds. */
  children(directory: number): { start: number; end: number } {
    return this.tree.children(this.tree.path(directory));
  }

  entry(ordinal: number): Entry {
    return this.tree.entry(ordinal);
  }

  /** What `user.varve.*` says of an entry; undefined where it says nothing. */
  fact(ordinal: number, name: string): Uint8Array | undefined {
    const { tree, blocks } = this;
    return entryFact({ tree, blocks, originOf: this.options.originOf }, ordinal, name);
  }

  /** The ordinal whose inode an entry shares: of its hard links the one that sorts first, else its own. */
  shared(ordinal: number): number {
    const { range, index } = this.tree.place(ordinal);
    return this.#sharedBy(ordinal, range.pathAt(index), range.extrasAt(index)?.hardLinks);
  }

  /** What `stat` shows. The inode number is the shared ordinal + 1; all times are mtime. Makes no entry: listings ask it. */
  attributes(ordinal: number): Attributes {
    const { range, index } = this.tree.place(ordinal);
    const extras = range.extrasAt(index);
    if (!extras?.hardLinks) return this.#attributesOf(range, index, extras, ordinal + 1);
    const shared = this.#sharedBy(ordinal, range.pathAt(index), extras.hardLinks);
    const first = this.tree.place(shared);
    return this.#attributesOf(first.range, first.index, first.range.extrasAt(first.index), shared + 1);
  }

  /**
   * Copies at most `length` bytes from `offset` of a file into `target` at index `at`; gives how many, fewer only at
   * the end. All missing chunks of the read are named at once.
   */
  read(ordinal: number, offset: number, length: number, target: Uint8Array, at: number): number {
    const content = this.#contents.of(ordinal);
    const end = Math.min(offset + length, content.sizeBytes);
    if (end <= offset) return 0;
    const missing = this.#copy(content, offset, end, target, at);
    const ahead = this.#ahead.after({ ordinal, content, offset, end });
    if (missing.length > 0) throw new Missing(missing, ahead);
    if (ahead.length > 0) this.options.prefetch?.(ahead);
    return end - offset;
  }

  /** The whole that a file may become. To be asked only with `keepsWholes`, and of files that are `isBackable`. */
  wholeOf(ordinal: number): Whole {
    return this.#contents.of(ordinal).whole!;
  }

  /** All blocks of a file, in order. */
  blocksOf(ordinal: number): Block[] {
    return blocksOf(this.#contents.of(ordinal));
  }

  /** Copies what is here of `[offset, end)`; gives the blocks that are not. */
  #copy(content: Content, offset: number, end: number, target: Uint8Array, at: number): Block[] {
    const missing: Block[] = [];
    const last = content.indexAt(end - 1);
    for (let index = content.indexAt(offset); index <= last; index++) {
      const start = content.startOf(index);
      const from = Math.max(offset, start);
      const to = Math.min(end, content.startOf(index + 1));
      const hash = content.hashAt(index);
      const here = this.blocks.copy(hash, from - start, to - start, target, at + from - offset);
      if (!here) missing.push(content.blockAt(index));
    }
    return missing;
  }

  /** A member of a group names all others when it sorts first, else only the one that does. */
  #sharedBy(ordinal: number, path: TreePath, hardLinks: readonly TreePath[] | undefined): number {
    const other = hardLinks?.[0];
    if (other === undefined || keyOf(path) < keyOf(other)) return ordinal;
    return this.tree.find(other) ?? ordinal;
  }

  #attributesOf(range: Range, index: number, extras: Extras | undefined, ino: number): Attributes {
    const { preserveOwner, uid, gid } = this.options;
    const type = range.typeAt(index);
    const sizeBytes = shownSize(type, range.sizeAt(index), extras);
    const mtimeSec = range.mtimeSecAt(index);
    const mtimeNsec = range.mtimeNsecAt(index);
    return {
      ino,
      mode: TYPE_BITS[type] | range.modeAt(index),
      // A directory says 1, as where nobody counts: `find` must not conclude how many folders are inside.
      nlink: 1 + (extras?.hardLinks?.length ?? 0),
      uid: preserveOwner ? range.uidAt(index) : uid,
      gid: preserveOwner ? range.gidAt(index) : gid,
      rdev: 0,
      sizeBytes,
      allocatedBytes: range.sizeAt(index) - holeBytes(extras),
      atimeSec: mtimeSec,
      atimeNsec: mtimeNsec,
      mtimeSec,
      mtimeNsec,
      ctimeSec: mtimeSec,
      ctimeNsec: mtimeNsec,
    };
  }
}

/** `st_mode` type bits of each kind of entry; an external link reads as a file. */
const TYPE_BITS = {
  [EntryType.directory]: FileType.directory,
  [EntryType.file]: FileType.file,
  [EntryType.symlink]: FileType.symlink,
  [EntryType.link]: FileType.file,
} satisfies Record<EntryType, number>;

function shownSize(type: EntryType, contentBytes: number, extras: Extras | undefined): number {
  if (type === EntryType.directory) return DIRECTORY_BYTES;
  return type === EntryType.symlink ? extras!.target!.length : contentBytes;
}

function holeBytes(extras: Extras | undefined): number {
  return extras?.holes?.reduce((sum, [start, end]) => sum + end - start, 0) ?? 0;
}
