/** Blocks and remotes for the tests of the cache: small, seeded, stored as a commit would store them. */
import { brotliCompressSync } from "node:zlib";

import type { Block } from "../../src/cache/block.js";
import { type Cache, type CacheOptions, openCache } from "../../src/cache/cache.js";
import { Codec, type RemoteId } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import type { Remote } from "../../src/remote/remote.js";
import { MiB } from "../../src/units.js";
import { type Scope, atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";

const REMOTE = "0".repeat(32) as RemoteId;

/** An object of a remote and the blocks that lie in it. */
export interface Pack {
  key: string;
  bytes: Uint8Array;
  blocks: Block[];
}

/** Lays `contents` end to end in one object. */
export function packOf(
  key: string,
  contents: readonly (string | Uint8Array)[],
  { codec = Codec.raw }: { codec?: Codec } = {},
): Pack {
  const parts: Uint8Array[] = [];
  const blocks = contents.map((content) => {
    const bytes = Buffer.from(content);
    const stored = codec === Codec.brotli ? brotliCompressSync(bytes) : bytes;
    const offset = parts.reduce((sum, part) => sum + part.byteLength, 0);
    parts.push(stored);
    return {
      hash: sha256(bytes),
      sizeBytes: bytes.byteLength,
      remote: REMOTE,
      key,
      offset,
      storedBytes: stored.byteLength,
      codec,
    };
  });
  return { key, bytes: Buffer.concat(parts), blocks };
}

/** Bytes that follow from `seed` alone, so that several processes know them. */
export function bytesOf(seed: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed + 1) * 2_654_435_761;
  for (let at = 0; at < sizeBytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function objectsOf(...packs: readonly Pack[]): Record<string, Uint8Array> {
  return Object.fromEntries(packs.map(({ key, bytes }) => [key, bytes]));
}

/** A cache in front of `remote`, in a new folder unless one is named, closed when the test ends. */
export async function cacheOf(
  scope: Scope,
  remote: Remote,
  options: Partial<CacheOptions> = {},
): Promise<Cache> {
  const directory = options.directory ?? (await tempDir(scope));
  const cache = await openCache({ directory, maxBytes: 64 * MiB, remoteOf: () => remote, ...options });
  atEnd(scope, () => cache.close());
  return cache;
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}
