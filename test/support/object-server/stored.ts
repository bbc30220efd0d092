/** Bytes of objects, in files of a folder that go away with the last who reads them. */
import { rm } from "node:fs/promises";

/** Bytes that lie in one file; an object of several parts is several. */
export interface Segment {
  file: string;
  sizeBytes: number;
}

export interface StoredBytes {
  /** In the order of the object's bytes. */
  segments: readonly Segment[];
  sizeBytes: number;
  /** Answers that still read it. */
  readers: number;
  isGone: boolean;
}

/** Call after the last read of an object, once for each `readers++`. */
export function letGo(object: StoredBytes): void {
  object.readers--;
  if (object.isGone) forget(object);
}

/** The object is no more; its bytes go once nobody reads them. */
export function forget(object: StoredBytes): void {
  object.isGone = true;
  if (object.readers === 0) discard(object.segments);
}

export function discard(segments: Iterable<Segment>): void {
  for (const { file } of segments) void rm(file, { force: true });
}

/** The order of stores, which is not that of UTF-16. */
export function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
