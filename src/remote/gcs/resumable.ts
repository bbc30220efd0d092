/**
 * The requests of a resumable upload. Whoever knows a session's path may write to it, so it is kept in memory only.
 * Source: https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { DatasetError } from "../../errors.js";
import { MiB } from "../../units.js";
import { type GcsAnswer, discard, textOf } from "./client.js";
import { metadataOf } from "./put.js";
import type { GcsObject } from "./read.js";
import { type GcsRequests, uploadPath } from "./requests.js";
import type { ObjectKey } from "../remote.js";

export interface Session {
  requests: GcsRequests;
  key: ObjectKey;
  sizeBytes: number;
  path: string;
}

/** Bytes of an upload that begin at `start`. */
export interface Piece {
  start: number;
  bytes: Uint8Array;
  /** Of the whole object, base64; with its last piece. */
  md5?: string;
}

/** How far a session is: bytes that the store has, or the object that it has become. */
export type Progress = { storedBytes: number } | { object: GcsObject };

type Signal = AbortSignal | undefined;

/** A multiple of 256 KiB, as the store wants it; sent in a second or two over 100 Mbit/s, and its loss costs no more. */
export const PIECE_BYTES = 16 * MiB;

export async function begin(
  requests: GcsRequests,
  key: ObjectKey,
  sizeBytes: number,
  sha256: string | undefined,
  signal: Signal,
): Promise<Session> {
  const body = [Buffer.from(JSON.stringify(metadataOf(requests, key, sha256)))];
  return requests.make({ attempt: "put", key, signal }, async (gcs, deadline) => {
    const headers = { "content-type": "application/json", "x-upload-content-length": String(sizeBytes) };
    const path = uploadPath(requests, { uploadType: "resumable", fields: "md5Hash,size" });
    const answer = await gcs.send({ method: "POST", path, headers, body, signal: deadline.signal });
    discard(answer);
    const { location = "" } = answer.headers;
    if (!URL.canParse(location)) throw odd(requests, key, "the store began an upload without an address");
    const { pathname, search } = new URL(location); // At the endpoint, whatever it takes itself for.
    return { requests, key, sizeBytes, path: pathname + search };
  });
}

/** Sends a piece. @throws {DatasetError} `object-missing` when the session is no more */
export async function sendPiece(
  session: Session,
  { start, bytes, md5 }: Piece,
  signal: Signal,
): Promise<Progress> {
  const last = start + bytes.byteLength - 1; // HTTP counts the last byte in.
  return put(session, bytes, signal, {
    "content-range": `bytes ${start}-${last}/${session.sizeBytes}`,
    ...(md5 !== undefined && { "x-goog-hash": `md5=${md5}` }),
  });
}

export async function progressOf(session: Session, signal: Signal): Promise<Progress> {
  return put(session, new Uint8Array(0), signal, { "content-range": `bytes */${session.sizeBytes}` });
}

/** Gives an upload up. What the store thinks of that changes nothing any more. */
export async function abandon({ requests, key, path }: Session): Promise<void> {
  await requests
    .make({ attempt: "give up the put of", key, signal: undefined }, async (gcs, deadline) => {
      discard(await gcs.send({ method: "DELETE", path, accepts: [499], signal: deadline.signal }));
    })
    .catch(() => undefined);
}

/** Holds what the store says of the object against what was sent. @throws {DatasetError} `remote-failed` */
export function checkStored(
  { requests, key, sizeBytes }: Session,
  { md5Hash, size }: GcsObject,
  md5: string,
): void {
  if (md5Hash === undefined ? size === String(sizeBytes) : md5Hash === md5) return;
  const has = md5Hash === undefined ? `${size ?? "no"} bytes` : `bytes with the MD5 ${md5Hash}`;
  throw odd(requests, key, `the store has ${has} after ${sizeBytes} with the MD5 ${md5} were sent`);
}

async function put(
  { requests, key, path }: Session,
  bytes: Uint8Array,
  signal: Signal,
  headers: Record<string, string>,
): Promise<Progress> {
  const asked = { attempt: "put", key, signal, sendsBytes: bytes.byteLength };
  return requests.make(asked, async (gcs, deadline) => {
    const request = { method: "PUT" as const, path, headers, body: [bytes], accepts: [308] };
    return progressIn(await gcs.send({ ...request, signal: deadline.signal }));
  });
}

/** 308 means that more is to come. */
async function progressIn({ status, headers, body }: GcsAnswer): Promise<Progress> {
  const text = await textOf(body);
  if (status !== 308) return { object: JSON.parse(text) as GcsObject };
  const last = /^bytes=0-(\d+)$/.exec(headers.range ?? "")?.[1];
  return { storedBytes: last === undefined ? 0 : Number(last) + 1 };
}

export function odd({ url }: GcsRequests, key: ObjectKey, problem: string): DatasetError<"remote-failed"> {
  return new DatasetError("remote-failed", { key }, `Cannot put "${key}" in ${url}: ${problem}`);
}
