/**
 * Where each chunk of a file begins, made once and kept for the reads that follow, so that reading a file of 10,000
 * chunks in order does not decode its entry 10,000 times. Bounded by the chunks it holds; the least recent go first.
 */
import { type Block, blockOfChunk } from "../cache/block.js";
import { WHOLE_BYTES, type Whole, wholeOf } from "../cache/whole.js";
import type { Chunk } from "../content/chunk.js";
import { EntryType } from "../manifest/entry.js";
import type { Range } from "../manifest/range.js";
import type { Tree } from "../manifest/tree.js";
import { FileSystemError } from "./errno.js";

/** A file's content by offset. */
export interface Content {
  chunks: readonly Chunk[];
  /** The offset at which each chunk begins. */
  starts: Float64Array;
  sizeBytes: number;
  /** Set where the cache should keep the content as one file. */
  whole: Whole | undefined;
}

/** About 15 MiB of memory, for 100 GiB of files being read at once. */
const MOST_CHUNKS = 100_000;
/** Small files are read once, mostly: a few hundred cover those being read side by side. */
const MOST_FILES = 512;

export class ContentMemory {
  readonly #contents = new Map<number, Content>();
  #chunks = 0; // INVARIANT: the sum of the chunks of what is in #contents

  /** @param keepsWholes Whether the blocks of large files are to be kept as one file each. */
  constructor(
    private readonly tree: Tree,
    private readonly keepsWholes: boolean,
  ) {}

  /** The content of a file's entry. @throws {FileSystemError} EISDIR, EINVAL for what is no file; EOPNOTSUPP for a link */
  of(ordinal: number): Content {
    const known = this.#contents.get(ordinal);
    if (known) this.#contents.delete(ordinal);
    else this.#makeRoom();
    const content = known ?? contentOf(this.tree, ordinal, this.keepsWholes);
    if (!known) this.#chunks += content.chunks.length;
    this.#contents.set(ordinal, content); // A Map keeps the order of insertion: the first is the least recent.
    return content;
  }

  #makeRoom(): void {
    for (const [ordinal, content] of this.#contents) {
      if (this.#chunks <= MOST_CHUNKS && this.#contents.size <= MOST_FILES) return;
      this.#contents.delete(ordinal);
      this.#chunks -= content.chunks.length;
    }
  }
}

/** Index of the chunk that holds `offset`, which lies within the file. */
export function chunkAt(starts: Float64Array, offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The blocks of the chunks `[from, to)`, counted from 0. */
export function blocksOf({ chunks, starts, whole }: Content, from = 0, to = chunks.length): Block[] {
  return chunks.slice(from, to).map((chunk, at) => {
    const block = blockOfChunk(chunk);
    return whole ? { ...block, part: { whole, at: starts[from + at]! } } : block;
  });
}

function contentOf(tree: Tree, ordinal: number, keepsWholes: boolean): Content {
  const { range, index } = tree.place(ordinal);
  refuseOthers(range.typeAt(index));
  const chunks = range.chunksAt(index);
  const starts = new Float64Array(chunks.length);
  let offset = 0;
  chunks.forEach((chunk, at) => {
    starts[at] = offset;
    offset += chunk.sizeBytes;
  });
  const isWhole = keepsWholes && isBackable(range, index);
  return { chunks, starts, sizeBytes: offset, whole: isWhole ? wholeOf(chunks) : undefined };
}

/** Whether a file may become a whole. One with holes may not: its file in the cache would have to have them too. */
export function isBackable(range: Range, index: number): boolean {
  return (
    range.typeAt(index) === EntryType.file &&
    range.sizeAt(index) >= WHOLE_BYTES &&
    range.extrasAt(index)?.holes === undefined
  );
}

function refuseOthers(type: EntryType): void {
  if (type === EntryType.directory) throw new FileSystemError("EISDIR");
  if (type === EntryType.symlink) throw new FileSystemError("EINVAL");
  if (type === EntryType.link) throw new FileSystemError("EOPNOTSUPP", "external links cannot be read yet");
}
