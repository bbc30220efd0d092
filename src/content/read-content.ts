/** What the workers do with one file: read it whole, in windows, or some of its chunks again. */
import { closeSync } from "node:fs";
import { MiB } from "../units.js";
import { ContentScanner, digestOf } from "./content-scanner.js";
import { holesOf, maybeSparse } from "./file-holes.js";
import { RunningSha256 } from "./hash.js";
import type { Digest, FileDigest, RunColumns } from "./ingest-jobs.js";
import { type OpenFile, openSource, readFully, readStable } from "./read-file.js";
import { STREAMED_BYTES } from "./source.js";

const WINDOW_BYTES = 4 * MiB;

/** Where the contents of one job are read to, end to end. */
export class Room {
  readonly bytes: Uint8Array<ArrayBuffer>;
  #usedBytes = 0;

  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes);
  }

  /** A place for `sizeBytes` bytes, free again until it is kept; undefined when there is no room. */
  offer(sizeBytes: number): Uint8Array | undefined {
    const end = this.#usedBytes + sizeBytes;
    return end > this.bytes.length ? undefined : this.bytes.subarray(this.#usedBytes, end);
  }

  /** Keeps the first `sizeBytes` of what is free, and tells where they start. */
  keep(sizeBytes: number): number {
    const at = this.#usedBytes;
    this.#usedBytes += sizeBytes;
    return at;
  }
}

/**
 * A file's digest, its bytes kept in `room` when they fit (they may not when it grew since it was scanned).
 * @throws {DatasetError} `source-changed`, `source-unreadable`
 */
export function readIntoRoom(path: string, room: Room): FileDigest {
  const { digest, fits } = readStable(path, (file) => digestInto(room, file));
  if (fits) digest.at = room.keep(digest.sizeBytes);
  return digest;
}

/** A file's digest without cuts, whatever its size. @throws {DatasetError} `source-changed`, `source-unreadable` */
export function hashOfFile(path: string): FileDigest {
  return readStable(path, (file) => {
    const whole = new RunningSha256();
    const isWhole = eachWindow(file, (window) => whole.update(window));
    return isWhole ? withFacts(file, { sizeBytes: file.sizeBytes, sha256: whole.digest() }) : undefined;
  });
}

/** The bytes of some chunks of a file, unchecked; undefined when they cannot be read any more. */
export function readRuns(path: string, { starts, sizes }: RunColumns): Uint8Array[] | undefined {
  let fd: number | undefined;
  try {
    const file = (fd = openSource(path));
    const chunks = sizes.map((sizeBytes) => new Uint8Array(sizeBytes));
    return chunks.every((chunk, index) => readFully(file, chunk, starts[index]!)) ? chunks : undefined;
  } catch {
    return undefined; // reading the file from its start will tell what is wrong with it
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function digestInto(room: Room, file: OpenFile): { digest: FileDigest; fits: boolean } | undefined {
  if (file.sizeBytes >= STREAMED_BYTES) return scanned(file);
  const place = room.offer(file.sizeBytes);
  const bytes = place ?? new Uint8Array(file.sizeBytes);
  if (!readFully(file.fd, bytes, 0)) return undefined;
  return { digest: withFacts(file, digestOf(bytes)), fits: place !== undefined };
}

function scanned(file: OpenFile): { digest: FileDigest; fits: false } | undefined {
  const scanner = new ContentScanner();
  const isWhole = eachWindow(file, (window, isLast) => scanner.push(window, isLast));
  return isWhole ? { digest: withFacts(file, scanner.digest()), fits: false } : undefined;
}

/** Hands the file on in windows of one buffer; false when it ended before its size. */
function eachWindow(file: OpenFile, take: (window: Uint8Array, isLast: boolean) => void): boolean {
  const buffer = new Uint8Array(Math.min(WINDOW_BYTES, file.sizeBytes));
  for (let at = 0; at < file.sizeBytes; at += buffer.length) {
    const window = buffer.subarray(0, file.sizeBytes - at);
    if (!readFully(file.fd, window, at)) return false;
    take(window, at + window.length === file.sizeBytes);
  }
  return true;
}

function withFacts(file: OpenFile, { sizeBytes, sha256, cuts }: Digest): FileDigest {
  const { mtimeSec, mtimeNsec } = file;
  const holes = maybeSparse(file) ? holesOf(file.fd, file.sizeBytes) : undefined;
  return { sizeBytes, sha256, cuts, mtimeSec, mtimeNsec, holes, at: undefined };
}
