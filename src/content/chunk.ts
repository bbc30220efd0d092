/** What a chunk is and where its bytes lie. Shared by content, cache and manifest; no behaviour but parsing. */
import { DatasetError } from "../errors.js";

/** Hex SHA-256 of a run of content bytes: 64 lower-case characters. */
export type Sha256 = string & { readonly brand: "Sha256" };

/** How a chunk is stored in its pack. Numbers are part of the format. */
export const Codec = { raw: 0, brotli: 1 } as const;
export type Codec = (typeof Codec)[keyof typeof Codec];

/** Name of a pack: the hex SHA-256 of the whole object, which lies at `packs/<id>` in its remote. */
export type PackId = Sha256;

/** Identity of a remote, written once into it (`varve.json`): 32 hex characters. It outlives every URL. */
export type RemoteId = string & { readonly brand: "RemoteId" };

/** Where a chunk's stored bytes lie: `[offset, offset + storedBytes)` of a pack, to be decoded by `codec`. */
export interface ChunkLocation {
  remote: RemoteId;
  pack: PackId;
  offset: number;
  storedBytes: number;
  codec: Codec;
}

/** A chunk of known place: what one needs to fetch, decode and check it. `sizeBytes` counts decoded bytes. */
export interface Chunk extends ChunkLocation {
  hash: Sha256;
  sizeBytes: number;
}

/** SHA-256 of no bytes: the hash of every empty file, which has no chunk. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" as Sha256;

/** Checks a hash that came from outside. @throws {DatasetError} `bad-input` */
export function parseSha256(text: string): Sha256 {
  if (/^[0-9a-f]{64}$/.test(text)) return text as Sha256;
  throw new DatasetError("bad-input", { value: text }, `Cannot read "${text.slice(0, 80)}" as a SHA-256`);
}

export function packKey(pack: PackId): string {
  return `packs/${pack.slice(0, 2)}/${pack}`;
}
