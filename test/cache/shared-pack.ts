/** The pack and the cache that the processes of `processes.test.ts` have in common. */
import { KiB, MiB } from "../../src/units.js";
import { bytesOf, packOf } from "./blocks.js";

/** About a third of the pack. */
export const SHARED_MAX_BYTES = 1 * MiB;

const contents = Array.from({ length: 200 }, (_, seed) =>
  bytesOf(seed, 4 * KiB + ((seed * 7919) % (20 * KiB))),
);

export const sharedPack = packOf("packs/shared", contents);

export function contentOf(at: number): Uint8Array {
  return contents[at]!;
}
