/**
 * External files as blocks: pieces of 1 MiB, named by URL, pin and position, since nobody knows their hashes. That the
 * bytes are right is the pin's promise, kept by whoever fetches them.
 */
import { createHash } from "node:crypto";

import { Codec, type RemoteId, type Sha256 } from "../content/chunk.js";
import type { LinkSource } from "../remote/links/source.js";
import { MiB } from "../units.js";
import type { Block } from "./block.js";

/** See docs/decisions/016-blocks-of-links.md. */
export const LINK_BLOCK_BYTES = 1 * MiB;

/** An external file as a version knows it. */
export interface LinkedFile extends LinkSource {
  sha256?: Sha256 | undefined;
  /** Tells apart what was taken without a pin at different times. */
  mtimeSec: number;
  mtimeNsec: number;
}

/** A hash has 64 characters; these have two more, so that no content can have the name of a link's block. */
const NAME_LENGTH = 66;
const NAME_END = "00";
const NO_REMOTE = "link" as RemoteId;

/** Whether a block is named by something else than the hash of its bytes. */
export function isLinkBlock(hash: Sha256): boolean {
  return hash.length === NAME_LENGTH;
}

export function linkBlockCount({ sizeBytes }: LinkSource): number {
  return Math.ceil(sizeBytes / LINK_BLOCK_BYTES);
}

/** All blocks, in order. */
export function* linkBlocks(file: LinkedFile): Generator<Block> {
  for (let index = 0; index < linkBlockCount(file); index++) yield linkBlockAt(file, index);
}

/** The block at an index, counted from 0. Costs a short hash. */
export function linkBlockAt(file: LinkedFile, index: number): Block {
  const { url, pin, sizeBytes } = file;
  const offset = index * LINK_BLOCK_BYTES;
  const storedBytes = Math.min(LINK_BLOCK_BYTES, sizeBytes - offset);
  return {
    hash: linkBlockName(file, index),
    sizeBytes: storedBytes,
    remote: NO_REMOTE,
    key: `${url}#${pin}`, // A URL here has no fragment, so this names the state of the source.
    offset,
    storedBytes,
    codec: Codec.raw,
    link: { url, pin, sizeBytes },
  };
}

/** The name of the block at an index. A file of one block whose hash is known is a block as any other. */
export function linkBlockName(file: LinkedFile, index: number): Sha256 {
  const { url, sizeBytes, sha256 } = file;
  if (sha256 !== undefined && sizeBytes <= LINK_BLOCK_BYTES) return sha256;
  const named = [url, stateOf(file), index].join("\n"); // None of them can hold a line feed.
  return `${createHash("sha256").update(named).digest("hex")}${NAME_END}` as Sha256;
}

function stateOf({ pin, sizeBytes, sha256, mtimeSec, mtimeNsec }: LinkedFile): string {
  return pin === "" ? `unpinned ${sizeBytes} ${sha256 ?? ""} ${mtimeSec}.${mtimeNsec}` : pin;
}
