/** A file's content by offset: which block holds a byte, and where each block begins. */
import { type Block, blockOfChunk } from "../cache/block.js";
import {
  LINK_BLOCK_BYTES,
  type LinkedFile,
  linkBlockAt,
  linkBlockCount,
  linkBlockName,
} from "../cache/link-blocks.js";
import { type Whole, wholeOf } from "../cache/whole.js";
import type { Chunk, Sha256 } from "../content/chunk.js";

export interface Content {
  sizeBytes: number;
  blockCount: number;
  /** Index of the block that holds `offset`, which lies within the file. */
  indexAt(offset: number): number;
  /** The offset at which a block begins; for `blockCount`, the end. */
  startOf(index: number): number;
  hashAt(index: number): Sha256;
  blockAt(index: number): Block;
  /** Set where the cache should keep the content as one file. */
  whole: Whole | undefined;
  /** What it takes of memory. */
  heldChunks: number;
}

/** The blocks `[from, to)`, counted from 0. */
export function blocksOf(content: Content, from = 0, to = content.blockCount): Block[] {
  return Array.from({ length: to - from }, (_, at) => content.blockAt(from + at));
}

/** Content that lies in packs. */
export function packedContent(chunks: readonly Chunk[], isWhole: boolean): Content {
  const starts = new Float64Array(chunks.length + 1);
  chunks.forEach(({ sizeBytes }, at) => (starts[at + 1] = starts[at]! + sizeBytes));
  const whole = isWhole ? wholeOf(chunks) : undefined;
  return {
    sizeBytes: starts[chunks.length]!,
    blockCount: chunks.length,
    indexAt: (offset) => chunkAt(starts, chunks.length, offset),
    startOf: (index) => starts[index]!,
    hashAt: (index) => chunks[index]!.hash,
    blockAt(index) {
      const block = blockOfChunk(chunks[index]!);
      return whole ? { ...block, part: { whole, at: starts[index]! } } : block;
    },
    whole,
    heldChunks: chunks.length,
  };
}

/** Content of an external file. Its blocks are worked out as they are asked for: it may be of any size. */
export function linkedContent(file: LinkedFile): Content {
  return {
    sizeBytes: file.sizeBytes,
    blockCount: linkBlockCount(file),
    indexAt: (offset) => Math.floor(offset / LINK_BLOCK_BYTES),
    startOf: (index) => Math.min(index * LINK_BLOCK_BYTES, file.sizeBytes),
    hashAt: (index) => linkBlockName(file, index),
    blockAt: (index) => linkBlockAt(file, index),
    whole: undefined,
    heldChunks: 1,
  };
}

function chunkAt(starts: Float64Array, count: number, offset: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
