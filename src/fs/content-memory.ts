/**
 * Where each block of a file begins, made once and kept for the reads that follow, so that reading a file of 10,000
 * chunks in order does not decode its entry 10,000 times. Bounded by the chunks it holds; the least recent go first.
 */
import { WHOLE_BYTES } from "../cache/whole.js";
import { EntryType, type LinkEntry } from "../manifest/entry.js";
import type { Range } from "../manifest/range.js";
import { schemeOf } from "../remote/links/link-url.js";
import type { Tree } from "../manifest/tree.js";
import { type Content, linkedContent, packedContent } from "./content.js";
import { FileSystemError } from "./errno.js";

/** About 15 MiB of memory, for 100 GiB of files being read at once. */
const MOST_CHUNKS = 100_000;
/** Small files are read once, mostly: a few hundred cover those being read side by side. */
const MOST_FILES = 512;

export interface ContentOptions {
  /** Whether the blocks of large files are to be kept as one file each. */
  keepsWholes: boolean;
  /** Whether users may look in who have not mounted. */
  isShared: boolean;
}

export class ContentMemory {
  readonly #contents = new Map<number, Content>();
  #chunks = 0; // INVARIANT: the sum of the chunks of what is in #contents

  constructor(
    private readonly tree: Tree,
    private readonly options: ContentOptions,
  ) {}

  /**
   * The content of a file, or of an external one.
   * @throws {FileSystemError} EISDIR, EINVAL for what is neither; EACCES for a file of this machine that is not to be shown
   */
  of(ordinal: number): Content {
    const known = this.#contents.get(ordinal);
    if (known) this.#contents.delete(ordinal);
    else this.#makeRoom();
    const content = known ?? contentOf(this.tree, ordinal, this.options);
    if (!known) this.#chunks += content.heldChunks;
    this.#contents.set(ordinal, content); // A Map keeps the order of insertion: the first is the least recent.
    return content;
  }

  #makeRoom(): void {
    for (const [ordinal, content] of this.#contents) {
      if (this.#chunks <= MOST_CHUNKS && this.#contents.size <= MOST_FILES) return;
      this.#contents.delete(ordinal);
      this.#chunks -= content.heldChunks;
    }
  }
}

function contentOf(tree: Tree, ordinal: number, { keepsWholes, isShared }: ContentOptions): Content {
  const { range, index } = tree.place(ordinal);
  const type = range.typeAt(index);
  if (type === EntryType.directory) throw new FileSystemError("EISDIR");
  if (type === EntryType.symlink) throw new FileSystemError("EINVAL");
  if (type === EntryType.link) return contentOfLink(range.entryAt(index) as LinkEntry, isShared);
  return packedContent(range.chunksAt(index), keepsWholes && isBackable(range, index));
}

/** Read with the rights of who mounts, and then in the kernel's memory for all, a file of this machine is for nobody else. */
function contentOfLink(entry: LinkEntry, isShared: boolean): Content {
  if (isShared && schemeOf(entry.url) === "file") throw new FileSystemError("EACCES");
  return linkedContent(entry);
}

/** Whether a file may become a whole. One with holes may not: its file in the cache would have to have them too. */
export function isBackable(range: Range, index: number): boolean {
  return (
    range.typeAt(index) === EntryType.file &&
    range.sizeAt(index) >= WHOLE_BYTES &&
    range.extrasAt(index)?.holes === undefined
  );
}
