/** What any store's answer to a read is held against: the range asked for, its length, a hash where one is known. */
import { createHash } from "node:crypto";
import { type Readable, finished } from "node:stream";

import { DatasetError } from "../errors.js";
import { answerMemory } from "./answer-memory.js";
import type { Deadline } from "./deadline.js";
import type { ObjectInfo, ObjectKey } from "./remote.js";

/** What an answer says of itself. */
export interface Answered {
  /** The header `Content-Range`. */
  range: string | undefined;
  sizeBytes: number | undefined;
}

/** @throws {DatasetError} `bad-input` for what is no range of bytes */
export function checkRange(key: ObjectKey, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end) return;
  const value = `[${start}, ${end})`;
  const message = `Cannot read ${value} of "${key}": that is no range of bytes`;
  throw new DatasetError("bad-input", { value }, message);
}

/**
 * A store that answers with another range, or all, must not be believed because the length happens to fit.
 * @throws {DatasetError} `remote-failed`
 */
export function checkAnswered(
  { range, sizeBytes }: Answered,
  key: ObjectKey,
  start: number,
  end: number,
): void {
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(range ?? "") ?? [];
  if (Number(first) === start && Number(last) < end) return;
  if (first === undefined && start === 0 && sizeBytes === end) return;
  const answered = range ?? `all ${String(sizeBytes)} bytes`;
  const message = `Cannot read "${key}": asked for [${start}, ${end}), the store answered with ${answered}`;
  throw new DatasetError("remote-failed", { key }, message);
}

/**
 * The bytes of a body. Pieces are taken as they come: to await each costs more than to copy it.
 * @throws {DatasetError} `remote-short` when there are more or fewer than wanted
 */
export function collect(
  body: Readable,
  key: ObjectKey,
  wantedBytes: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  const bytes = answerMemory(wantedBytes);
  let gotBytes = 0;
  return new Promise((resolve, reject) => {
    finished(body, (error) => {
      if (error) reject(error);
      else if (gotBytes === wantedBytes) resolve(bytes);
      else reject(short(key, wantedBytes, gotBytes));
    });
    body.on("data", (piece: Uint8Array) => {
      deadline.extend();
      const at = gotBytes;
      gotBytes += piece.byteLength;
      if (gotBytes > wantedBytes) body.destroy(short(key, wantedBytes, gotBytes));
      else bytes.set(piece, at);
    });
  });
}

/** HTTP has no empty range; what a read of one promises is that the object is there and so long. */
export function nothingOf(
  found: ObjectInfo | undefined,
  url: string,
  key: ObjectKey,
  offset: number,
): Uint8Array {
  if (!found) {
    const message = `Cannot read "${key}" in ${url}: no such object`;
    throw new DatasetError("object-missing", { key }, message);
  }
  if (offset > found.sizeBytes) throw short(key, 0, 0);
  return new Uint8Array(0);
}

/** @throws {DatasetError} `format-damaged` */
export function checkSmall(key: ObjectKey, sizeBytes: number, maxBytes: number): void {
  if (sizeBytes <= maxBytes) return;
  const message = `Cannot read "${key}" whole: it has ${sizeBytes} bytes, and at most ${maxBytes} are expected`;
  throw new DatasetError("format-damaged", { what: key }, message);
}

/** @param wanted Hex SHA-256, where one is known. @throws {DatasetError} `remote-failed` */
export function checkHash(url: string, key: ObjectKey, bytes: Uint8Array, wanted: string | undefined): void {
  if (wanted === undefined || createHash("sha256").update(bytes).digest("hex") === wanted) return;
  const message = `Cannot read "${key}" in ${url}: other bytes came than were stored`;
  throw new DatasetError("remote-failed", { key }, message);
}

export function short(key: ObjectKey, wantedBytes: number, gotBytes: number): DatasetError<"remote-short"> {
  const message = `Cannot read "${key}": got ${gotBytes} of the ${wantedBytes} bytes asked for`;
  return new DatasetError("remote-short", { key, wantedBytes, gotBytes }, message);
}
