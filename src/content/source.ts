/** What is to be stored and what storing gives back. Plain data, shared by `store.ts` and its parts. */
import { MiB } from "../units.js";
import type { Chunk, Sha256 } from "./chunk.js";

/** Content of this size or more is never whole in memory: it is read once to be hashed and once to be sent. */
export const STREAMED_BYTES = 16 * MiB;

/** Runs of zeros `[start, end)` that take no room on disk; sorted, disjoint. */
export type Holes = readonly (readonly [number, number])[];

/** Content that is not simply a file on disk, such as a file of an overlay: base chunks and local bytes. */
export interface ContentReader {
  readonly sizeBytes: number;
  readonly holes?: Holes | undefined;
  /** The bytes `[start, end)`, never fewer; asked for again when they are sent. */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** One file to store. `id` is the caller's, and comes back with the result. */
export interface ContentSource<Id> {
  id: Id;
  /** As scanned, for planning only; what is read decides. */
  sizeBytes: number;
  /** `path`: absolute, a byte string. `open` may be called more than once, when content changed under the reader. */
  from: { path: string } | { open(): Promise<ContentReader> };
}

/** A file read once from end to end without changing meanwhile. */
export interface HashedContent<Id> {
  id: Id;
  sizeBytes: number;
  sha256: Sha256;
  holes?: Holes | undefined;
  /** As read; only of a source with a path. */
  mtimeSec?: number | undefined;
  mtimeNsec?: number | undefined;
}

/** A file of which every byte is durable in a remote. */
export interface StoredContent<Id> extends HashedContent<Id> {
  chunks: Chunk[];
}

/** The path of a source that has one. */
export function pathOf<Id>({ from }: ContentSource<Id>): string | undefined {
  return "path" in from ? from.path : undefined;
}
