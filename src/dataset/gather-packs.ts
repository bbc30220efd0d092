/**
 * Small commits leave small packs, and who restores a version asks for each of them. So a commit that makes a range anew
 * lays together what the range has in small packs, once there are many: a range then names few, however long its history.
 */
import { blockOfChunk } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import { concatenate } from "../content/bytes.js";
import { type Chunk, type PackId, type Sha256, packKey } from "../content/chunk.js";
import { encodeChunk } from "../content/encode.js";
import { sha256 } from "../content/hash.js";
import { isDatasetError } from "../errors.js";
import type { Relocate } from "../manifest/edit.js";
import type { Range } from "../manifest/range.js";
import { KiB } from "../units.js";
import type { OpenedRemote } from "./workspace.js";

/** A pack of which the range uses no more than this is small to it. */
const SMALL_BYTES = 64 * KiB;
/** So many are worth a pack of their own: a byte is then written again once in as many commits, and a restore asks for less. */
const LEAST_PACKS = 32;

const NOTHING: ReadonlyMap<Sha256, Chunk> = new Map();

/**
 * Tells where the chunks of a range lie from now on, in a new pack that is durable when it tells. Chunks in other remotes
 * than the version's own stay there.
 */
export function gatherPacks(cache: Cache, { id, remote }: OpenedRemote): Relocate {
  return async (range) => {
    const chunks = scatteredChunks(range, id);
    const contents = chunks.length > 0 ? await readAll(cache, chunks) : undefined;
    if (!contents) return NOTHING;
    const stored = contents.map(encodeChunk);
    const bytes = concatenate(stored.map((chunk) => chunk.stored));
    const pack = sha256(bytes);
    await remote.put(packKey(pack), bytes, { sha256: pack });
    let offset = 0;
    return new Map(
      chunks.map(({ hash, sizeBytes }, index) => {
        const { codec, stored: own } = stored[index]!;
        const chunk = { hash, sizeBytes, remote: id, pack, offset, storedBytes: own.length, codec };
        offset += own.length;
        return [hash, chunk];
      }),
    );
  };
}

/** Undefined where one cannot be read: then all stay where they are, since a commit must not fail for what it does not change. */
async function readAll(cache: Cache, chunks: readonly Chunk[]): Promise<Uint8Array[] | undefined> {
  try {
    return await cache.readMany(chunks.map(blockOfChunk));
  } catch (error) {
    if (!isDatasetError(error)) throw error;
    return undefined;
  }
}

/** The chunks that a range has in small packs, each once; none where such packs are few. */
function scatteredChunks(range: Range, remote: Chunk["remote"]): Chunk[] {
  const byPack = new Map<PackId, Map<Sha256, Chunk>>();
  for (let index = 0; index < range.count; index++)
    for (const chunk of range.chunksAt(index)) {
      if (chunk.remote !== remote) continue;
      const chunks = byPack.get(chunk.pack) ?? new Map<Sha256, Chunk>();
      byPack.set(chunk.pack, chunks.set(chunk.hash, chunk));
    }
  const small = [...byPack.values()].filter((chunks) => storedBytesOf(chunks) <= SMALL_BYTES);
  return small.length < LEAST_PACKS ? [] : small.flatMap((chunks) => [...chunks.values()]);
}

function storedBytesOf(chunks: ReadonlyMap<Sha256, Chunk>): number {
  return [...chunks.values()].reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}
