/** Reads from Google Cloud Storage: ranges and whole objects, each held against its length and, when whole, its hash. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { DatasetError, isDatasetError } from "../../errors.js";
import { checkAnswered, checkRange, checkSmall, collect, nothingOf, short } from "../answers.js";
import { type GcsAnswer, textOf } from "./client.js";
import { GcsRefusal } from "./failure.js";
import { type GcsRequests, objectPath } from "./requests.js";
import type { ObjectInfo, ObjectKey } from "../remote.js";

type Signal = AbortSignal | undefined;

/** What the API says of an object, as far as it is asked for. Numbers are text. */
export interface GcsObject {
  name?: string;
  size?: string;
  updated?: string;
  /** Base64; not of objects that were composed of others. */
  md5Hash?: string;
}

/** Objects are stored as they are, and must not be packed on their way. */
const AS_STORED = { "accept-encoding": "identity" };

/** @param query Which state of the object is to be read. Default: the current one. */
export async function readRange(
  requests: GcsRequests,
  key: ObjectKey,
  start: number,
  end: number,
  signal: Signal,
  query: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  checkRange(key, start, end);
  if (start === end) return nothingOf(await lookUp(requests, key, signal), requests.url, key, start);
  return requests.make({ attempt: "read", key, signal }, async (gcs, deadline) => {
    const headers = { ...AS_STORED, range: `bytes=${start}-${end - 1}` }; // HTTP counts the last byte in.
    const path = objectPath(requests, key, { alt: "media", ...query });
    const answer = await gcs
      .send({ method: "GET", path, headers, signal: deadline.signal })
      .catch((error: unknown) => {
        throw error instanceof GcsRefusal && error.status === 416 ? short(key, end - start, 0) : error;
      });
    return held(answer.body, () => {
      const range = answer.headers["content-range"];
      checkAnswered({ range, sizeBytes: sizeOf(answer) }, key, start, end);
      return collect(answer.body, key, end - start, deadline);
    });
  });
}

export async function readWholeObject(
  requests: GcsRequests,
  key: ObjectKey,
  maxBytes: number,
  signal: Signal,
): Promise<Uint8Array> {
  return requests.make({ attempt: "read", key, signal }, async (gcs, deadline) => {
    const path = objectPath(requests, key, { alt: "media" });
    const answer = await gcs.send({ method: "GET", path, headers: AS_STORED, signal: deadline.signal });
    const bytes = await held(answer.body, async () => {
      const sizeBytes = sizeOf(answer) ?? 0;
      checkSmall(key, sizeBytes, maxBytes);
      return collect(answer.body, key, sizeBytes, deadline);
    });
    checkHash(requests, key, bytes, answer);
    return bytes;
  });
}

/** Undefined when there is no such object. */
export async function lookUp(
  requests: GcsRequests,
  key: ObjectKey,
  signal: Signal,
): Promise<ObjectInfo | undefined> {
  try {
    return await requests.make({ attempt: "look up", key, signal }, async (gcs, deadline) => {
      const path = objectPath(requests, key, { fields: "size,updated" });
      const answer = await gcs.send({ method: "GET", path, signal: deadline.signal });
      return { ...infoOf(JSON.parse(await textOf(answer.body)) as GcsObject), key };
    });
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

export function infoOf({ size, updated }: GcsObject): Omit<ObjectInfo, "key"> {
  return { sizeBytes: Number(size ?? 0), modifiedMs: updated === undefined ? 0 : Date.parse(updated) };
}

/** What `work` makes of an answer; one that is not read to its end is let go of. */
async function held<T>(body: IncomingMessage, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    body.destroy();
    throw error;
  }
}

function sizeOf({ headers }: GcsAnswer): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

/** With a whole object come the hashes it was stored with. */
function checkHash({ url }: GcsRequests, key: ObjectKey, bytes: Uint8Array, { headers }: GcsAnswer): void {
  const md5 = /md5=([A-Za-z0-9+/=]+)/.exec(String(headers["x-goog-hash"] ?? ""))?.[1];
  if (md5 === undefined || createHash("md5").update(bytes).digest("base64") === md5) return;
  const message = `Cannot read "${key}" in ${url}: other bytes came than were stored`;
  throw new DatasetError("remote-failed", { key }, message);
}
