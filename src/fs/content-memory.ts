/**
 * Where each chunk of a file begins, made once and kept for the reads that follow, so that reading a file of 10,000
 * chunks in order does not decode its entry 10,000 times. Bounded by the chunks it holds; the least recent go first.
 */
import type { Chunk } from "../content/chunk.js";
import { EntryType } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { FileSystemError } from "./errno.js";

/** A file's content by offset. */
export interface Content {
  chunks: readonly Chunk[];
  /** The offset at which each chunk begins. */
  starts: Float64Array;
  sizeBytes: number;
}

/** About 15 MiB of memory, for 100 GiB of files being read at once. */
const MOST_CHUNKS = 100_000;
/** Small files are read once, mostly: a few hundred cover those being read side by side. */
const MOST_FILES = 512;

export class ContentMemory {
  readonly #contents = new Map<number, Content>();
  #chunks = 0; // INVARIANT: the sum of the chunks of what is in #contents

  constructor(private readonly tree: Tree) {}

  /** The content of a file's entry. @throws {FileSystemError} EISDIR, EINVAL for what is no file; EOPNOTSUPP for a link */
  of(ordinal: number): Content {
    const known = this.#contents.get(ordinal);
    if (known) this.#contents.delete(ordinal);
    else this.#makeRoom();
    const content = known ?? contentOf(this.tree, ordinal);
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

function contentOf(tree: Tree, ordinal: number): Content {
  const { range, index } = tree.place(ordinal);
  refuseOthers(range.typeAt(index));
  const chunks = range.chunksAt(index);
  const starts = new Float64Array(chunks.length);
  let offset = 0;
  chunks.forEach((chunk, at) => {
    starts[at] = offset;
    offset += chunk.sizeBytes;
  });
  return { chunks, starts, sizeBytes: offset };
}

function refuseOthers(type: EntryType): void {
  if (type === EntryType.directory) throw new FileSystemError("EISDIR");
  if (type === EntryType.symlink) throw new FileSystemError("EINVAL");
  if (type === EntryType.link) throw new FileSystemError("EOPNOTSUPP", "external links cannot be read yet");
}
