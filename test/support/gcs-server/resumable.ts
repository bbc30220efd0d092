/**
 * Resumable uploads: a session takes bytes from where it is, in any number of requests, and keeps of an unfinished one
 * whole blocks only. Source: https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

import { type Reply, empty } from "../object-server/reply.js";
import type { Pace } from "../object-server/server.js";
import { discard } from "../object-server/stored.js";
import { addObject, receiveJson } from "./body.js";
import { GcsError, invalid } from "./error.js";
import type { Operation } from "./operations.js";
import { type GcsRequest, headerOf } from "./request.js";
import { jsonReply, resourceOf } from "./resource.js";
import { type Bucket, type Metadata, type StoredObject, checkConditions } from "./store.js";

const BLOCK_BYTES = 256 * 1024;

export interface Session {
  said: Metadata;
  /** Of the request that began it: its conditions hold at its end too. */
  query: URLSearchParams;
  file: string;
  storedBytes: number;
  object: StoredObject | undefined;
}

export const beginUpload: Operation = async (request, bucket, { folder, sessions }) => {
  const metadata = await receiveJson(request);
  const { query } = request;
  const said = { ...metadata, name: query.get("name") ?? metadata.name ?? "" };
  checkConditions(query, bucket.get(said.name));
  const id = randomUUID();
  const file = join(folder, id);
  await (await open(file, "wx")).close();
  sessions.set(id, { said, query, file, storedBytes: 0, object: undefined });
  const location = `http://${headerOf(request, "host")}${request.incoming.url}&upload_id=${id}`;
  return empty(200, { location, "x-guploader-uploadid": id });
};

export const putPiece: Operation = async (request, bucket, { sessions }, pace) => {
  const session = findSession(request, sessions);
  const [, first, last = "", total = ""] =
    /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(headerOf(request, "content-range") ?? "") ?? [];
  if (total === "") throw invalid("Invalid Content-Range");
  if (session.object) return finished(request, session.object);
  if (first !== undefined) await receive(request, session, Number(first), last, pace);
  // All the rest, however much, is in a request "bytes 0-*/*".
  const isWhole = total === "*" ? last === "*" : session.storedBytes === Number(total);
  if (isWhole) return finish(request, bucket, session, sessions);
  session.storedBytes -= session.storedBytes % BLOCK_BYTES;
  const { storedBytes } = session;
  return empty(308, storedBytes === 0 ? {} : { range: `bytes=0-${storedBytes - 1}` });
};

export const cancelUpload: Operation = (request, _bucket, { sessions }) => {
  const { file, storedBytes } = findSession(request, sessions);
  sessions.delete(idOf(request));
  discard([{ file, sizeBytes: storedBytes }]);
  return empty(499);
};

async function finish(
  request: GcsRequest,
  bucket: Bucket,
  session: Session,
  sessions: Map<string, Session>,
): Promise<Reply> {
  const { said, file, storedBytes: sizeBytes, query } = session;
  const sent = headerOf(request, "x-goog-hash") ?? "";
  const hashes = {
    md5: /md5=([^,]+)/.exec(sent)?.[1] ?? said.md5Hash,
    crc32c: /crc32c=([^,]+)/.exec(sent)?.[1] ?? said.crc32c,
  };
  try {
    const check = () => checkConditions(query, bucket.get(said.name ?? ""));
    session.object = await addObject(bucket, said, { file, sizeBytes }, hashes, check);
    return finished(request, session.object);
  } catch (error) {
    sessions.delete(idOf(request));
    discard([{ file, sizeBytes }]);
    throw error;
  }
}

function finished(request: GcsRequest, object: StoredObject): Reply {
  return jsonReply(resourceOf(request.bucket, object), request.query);
}

/** Bytes `[first, last]`, or from `first` on, of which those that are there already are passed over. */
async function receive(
  request: GcsRequest,
  session: Session,
  first: number,
  last: string,
  pace: Pace,
): Promise<void> {
  if (first > session.storedBytes) throw invalid(`Bytes from ${session.storedBytes} on are missing.`);
  if (last !== "*" && Number(headerOf(request, "content-length")) !== Number(last) - first + 1)
    throw invalid("Invalid Content-Range");
  const handle = await open(session.file, "r+");
  try {
    await receiveInto(handle, request, session, first, pace);
  } finally {
    await handle.close();
  }
}

async function receiveInto(
  handle: FileHandle,
  request: GcsRequest,
  session: Session,
  first: number,
  pace: Pace,
): Promise<void> {
  let at = first;
  // A client that breaks off leaves what has come of it.
  const pieces = request.incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  try {
    for await (const piece of pieces) {
      await handle.write(piece, 0, piece.length, at);
      at += piece.length;
      session.storedBytes = Math.max(session.storedBytes, at);
      await pace(piece.length);
    }
  } catch (error) {
    throw new GcsError(503, "backendError", String(error));
  }
}

function findSession(request: GcsRequest, sessions: Map<string, Session>): Session {
  const session = sessions.get(idOf(request));
  if (session) return session;
  throw new GcsError(410, "gone", "The upload has ended or never was.");
}

function idOf({ query }: GcsRequest): string {
  return query.get("upload_id") ?? "";
}
