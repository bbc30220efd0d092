/** A large file as its blocks: small enough for tests, since the cache itself knows no least size of a whole. */
import type { Block } from "../../src/cache/block.js";
import { type Part, wholeOf } from "../../src/cache/whole.js";
import { KiB } from "../../src/units.js";
import { type Pack, bytesOf, packOf } from "./blocks.js";

export interface LargeFile {
  pack: Pack;
  bytes: Uint8Array;
  blocks: (Block & { part: Part })[];
}

const CHUNKS = 40;

/** The file of a seed: 40 chunks of 1 to 13 KiB. `recurring`: its first ten chunks come once more at its end. */
export function largeFile(seed: number, { recurring = false } = {}): LargeFile {
  const chunks = Array.from({ length: CHUNKS }, (_, at) =>
    bytesOf(seed * CHUNKS + at, (1 + (at % 13)) * KiB),
  );
  const { key, blocks } = packOf(`packs/large-${seed}`, chunks);
  const order = recurring ? [...blocks, ...blocks.slice(0, 10)] : blocks;
  const whole = wholeOf(order);
  let end = 0;
  const parts = order.map((block) => {
    const at = end;
    end += block.sizeBytes;
    return { ...block, part: { whole, at } };
  });
  const laid = recurring ? [...chunks, ...chunks.slice(0, 10)] : chunks;
  return { pack: { key, bytes: Buffer.concat(chunks), blocks }, bytes: Buffer.concat(laid), blocks: parts };
}
