/**
 * What the cache keeps: runs of bytes named by the SHA-256 of what they decode to. A content chunk, a range of a
 * manifest and a page of an index segment are all blocks, so all are checked, shared and evicted alike.
 */
import { type Chunk, type Codec, type RemoteId, type Sha256, packKey } from "../content/chunk.js";
import type { LinkSource } from "../remote/links/source.js";
import type { ObjectKey } from "../remote/remote.js";
import type { Part } from "./whole.js";

/** Stored bytes `[offset, offset + storedBytes)` of object `key`, which decode to `sizeBytes` bytes named `hash`. */
export interface Block {
  hash: Sha256;
  sizeBytes: number;
  remote: RemoteId;
  key: ObjectKey;
  offset: number;
  storedBytes: number;
  codec: Codec;
  /** Set for a block of a large file that the cache should keep in one piece. */
  part?: Part | undefined;
  /** Set for a block of an external file, which lies in no remote; see `link-blocks.ts` for its name. */
  link?: LinkSource | undefined;
}

/** Blocks that lie on this machine. Nothing here waits: the file system's worker calls it between two requests. */
export interface LocalBlocks {
  /** Copies the decoded bytes `[start, end)` of a block into `target` from index `at`; false when it is not here. */
  copy(hash: Sha256, start: number, end: number, target: Uint8Array, at: number): boolean;
  /** The whole block, not to be changed; undefined when it is not here. */
  get(hash: Sha256): Uint8Array | undefined;
}

/**
 * Thrown (it is no error, and costs no stack) by whatever needs blocks that are not on this machine. Who catches it
 * fetches `blocks` and runs the operation again from its start; `ahead` may be fetched along, nobody waits for them.
 */
export class Missing {
  constructor(
    readonly blocks: readonly Block[],
    readonly ahead: readonly Block[] = [],
  ) {}

  /** What names each of the things that are missing. */
  get keys(): readonly string[] {
    return this.blocks.map(({ hash }) => hash);
  }
}

export function blockOfChunk(chunk: Chunk): Block {
  const { hash, sizeBytes, remote, pack, offset, storedBytes, codec } = chunk;
  return { hash, sizeBytes, remote, key: packKey(pack), offset, storedBytes, codec };
}
