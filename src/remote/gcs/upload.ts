/**
 * Puts of streams. A short one goes in one request, a long one piece by piece in a resumable upload, each piece tried again
 * by itself from where the store has it. An upload that breaks off is remembered as long as the process lives: a later put
 * of the same content sends only the rest. Another process begins anew: the store lists no unfinished uploads, and who
 * knows the address of one may write, so it is left nowhere.
 */
import { type Hash, createHash } from "node:crypto";

import { isDatasetError } from "../../errors.js";
import { checkSignal } from "../cancel.js";
import { putBytes } from "./put.js";
import type { GcsRequests } from "./requests.js";
import { PIECE_BYTES, type Piece, type Progress, type Session, abandon, begin, checkStored, odd, progressOf, sendPiece } from "./resumable.js"; // prettier-ignore
import { partsOf } from "../parts.js";
import { DEFAULT_POLICY, patiently } from "../patience.js";
import type { Body, ObjectKey, PutOptions } from "../remote.js";
import { PARTS_AT_ONCE, checkSent, mayGoOn } from "../sending.js";
import { Slots } from "../slots.js";

type Stream = Exclude<Body, Uint8Array>;
export type Upload = (key: ObjectKey, body: Stream, options?: PutOptions) => Promise<void>;

/** Uploads to one remote, which share the memory for pieces. */
export function uploader(requests: GcsRequests): Upload {
  const slots = new Slots(PARTS_AT_ONCE);
  /** By what is sent. */
  const unfinished = new Map<string, Session>();

  return async (key, body, options = {}) => {
    checkSignal(options.signal, `put of "${key}" in ${requests.url}`);
    if (body.sizeBytes > PIECE_BYTES) return uploadInPieces(key, body, options);
    for await (const { bytes } of partsOf(key, body, PIECE_BYTES, options.signal))
      await putBytes(requests, key, bytes, options);
  };

  async function uploadInPieces(key: ObjectKey, body: Stream, { signal, sha256 }: PutOptions): Promise<void> {
    const content = `${sha256} ${key} ${body.sizeBytes}`;
    const begun = await resume(unfinished.get(content), signal);
    unfinished.delete(content); // Two puts of one content at a time are two uploads.
    const session = begun?.session ?? (await begin(requests, key, body.sizeBytes, sha256, signal));
    try {
      await sendPieces(session, begun?.storedBytes ?? 0, body, { signal, sha256 });
    } catch (error) {
      if (isDatasetError(error, "object-missing")) throw odd(requests, key, "the store has lost the upload");
      if (sha256 !== undefined && mayGoOn(error)) unfinished.set(content, session);
      else await abandon(session);
      throw error;
    }
  }

  async function sendPieces(
    session: Session,
    storedBytes: number,
    body: Stream,
    { signal, sha256 }: PutOptions,
  ): Promise<void> {
    const whole = { sha256: createHash("sha256"), md5: createHash("md5") };
    const source = partsOf(session.key, body, PIECE_BYTES, signal);
    let start = 0;
    try {
      for (;;) {
        const release = await slots.take();
        try {
          const next = await source.next();
          if (next.done) return;
          const piece = pieceOf(next.value.bytes, start, session, whole);
          if (piece.md5 !== undefined) checkSent(session.key, whole.sha256.digest("hex"), sha256);
          start += piece.bytes.byteLength;
          if (start > storedBytes || piece.md5 !== undefined)
            await sendAll(session, piece, Math.max(storedBytes, start - piece.bytes.byteLength), signal);
        } finally {
          release();
        }
      }
    } finally {
      await source.return(); // Whoever gives the stream may hold a file open for it.
    }
  }
}

/** An earlier session, if the store still knows it and has not come to its end. */
async function resume(
  session: Session | undefined,
  signal: AbortSignal | undefined,
): Promise<{ session: Session; storedBytes: number } | undefined> {
  if (!session) return undefined;
  const progress = await progressOf(session, signal).catch(() => undefined);
  return progress && "storedBytes" in progress ? { session, ...progress } : undefined;
}

function pieceOf(
  bytes: Uint8Array,
  start: number,
  { sizeBytes }: Session,
  whole: { sha256: Hash; md5: Hash },
): Piece {
  whole.sha256.update(bytes);
  whole.md5.update(bytes);
  const isLast = start + bytes.byteLength === sizeBytes;
  return { start, bytes, ...(isLast && { md5: whole.md5.digest("base64") }) };
}

/** Sends of a piece what the store has not, and after a failure asks first what that is. */
async function sendAll(
  session: Session,
  piece: Piece,
  storedBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { key, requests } = session;
  const what = `put of [${piece.start}, ${piece.start + piece.bytes.byteLength}) of "${key}" in ${requests.url}`;
  const call = { what, signal, movesBytes: piece.bytes.byteLength };
  await patiently(DEFAULT_POLICY, call, async (deadline, earlier) => {
    let progress: Progress = earlier === 0 ? { storedBytes } : await progressOf(session, deadline.signal);
    while (!isStored(session, piece, progress)) {
      const before = progress.storedBytes;
      progress = await sendPiece(session, restOf(session, piece, before), deadline.signal);
      if ("storedBytes" in progress && progress.storedBytes <= before)
        throw odd(requests, key, `the store keeps no more than ${before} bytes`);
    }
  });
}

/** Whether the store has all of a piece; with the last one, that it has made the object, and the right one. */
function isStored(
  session: Session,
  { start, bytes, md5 }: Piece,
  progress: Progress,
): progress is { object: object } {
  if (md5 === undefined) return "object" in progress || progress.storedBytes >= start + bytes.byteLength;
  if (!("object" in progress)) return false;
  checkStored(session, progress.object, md5);
  return true;
}

function restOf({ requests, key }: Session, { start, bytes, ...rest }: Piece, storedBytes: number): Piece {
  const from = storedBytes - start;
  if (from >= 0 && from < bytes.byteLength)
    return { ...rest, start: storedBytes, bytes: bytes.subarray(from) };
  throw odd(requests, key, `the store has ${storedBytes} bytes of it, not all that it had or no end`);
}
