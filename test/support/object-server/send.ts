/** Writes an answer to its connection, with whatever befalls it on the way. */
import { type FileHandle, open } from "node:fs/promises";
import { once } from "node:events";
import type { ServerResponse } from "node:http";

import type { Befalling, Fault } from "../faults.js";
import { type ObjectRange, type Reply, sizeOf } from "./reply.js";
import { letGo } from "./stored.js";

const PIECE_BYTES = 256 * 1024;

/** Resolves when the answer has been handed over or its reader has gone. @returns Bytes of the body that were sent */
export async function send(
  response: ServerResponse,
  reply: Reply,
  befalling: readonly Befalling[],
): Promise<number> {
  const { status, headers, body } = reply;
  const fault = <Kind extends Fault["kind"]>(kind: Kind) =>
    befalling.find((each) => each.fault.kind === kind) as
      { fault: Extract<Fault, { kind: Kind }> } | undefined;
  const stalled = fault("stall")?.fault.where;
  const sizeBytes = sizeOf(body);
  if (stalled === "answer") return 0; // The connection stays open until the client gives up.

  response.writeHead(status, { "content-length": String(sizeBytes), ...headers });
  if (body === undefined || sizeBytes === 0) return (response.end(), 0);
  const cutAt = stalled === "body" ? sizeBytes >> 1 : Math.floor(sizeBytes * (fault("cut")?.fault.share ?? (fault("cut") ? 0.5 : 1))); // prettier-ignore
  const wrongAt = fault("wrong-bytes") ? sizeBytes >> 1 : -1;
  const link = befalling.find((each) => each.link)?.link;

  let sentBytes = 0;
  for await (const piece of piecesOf(body)) {
    const bytes = piece.subarray(0, cutAt - sentBytes);
    if (wrongAt >= sentBytes && wrongAt < sentBytes + bytes.length) bytes[wrongAt - sentBytes]! ^= 0xff;
    await link?.take(bytes.length);
    if (response.destroyed) return sentBytes;
    if (!response.write(bytes)) await drained(response);
    sentBytes += bytes.length;
    if (sentBytes >= cutAt) break;
  }
  if (sentBytes === sizeBytes) response.end();
  else if (stalled === undefined) response.socket?.end(() => response.destroy());
  return sentBytes;
}

async function drained(response: ServerResponse): Promise<void> {
  const waiting = new AbortController();
  const either = ["drain", "close"].map((event) => once(response, event, { signal: waiting.signal }));
  await Promise.race(either);
  waiting.abort();
  await Promise.allSettled(either);
}

async function* piecesOf(body: Buffer | ObjectRange): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(body)) {
    yield Buffer.from(body);
    return;
  }
  const { object } = body;
  object.readers++;
  try {
    yield* piecesOfObject(body);
  } finally {
    letGo(object);
  }
}

async function* piecesOfObject({ object, start, end }: ObjectRange): AsyncGenerator<Buffer> {
  let offset = 0;
  for (const { file, sizeBytes } of object.segments) {
    const [from, to] = [Math.max(0, start - offset), Math.min(sizeBytes, end - offset)];
    offset += sizeBytes;
    if (from >= to) continue;
    const handle = await open(file, "r");
    try {
      yield* piecesOfFile(handle, from, to);
    } finally {
      await handle.close();
    }
  }
}

async function* piecesOfFile(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new Error("A file of the store is shorter than its object");
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}
