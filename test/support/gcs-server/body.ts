/** The body of a request, written to a file; what it has become is told by its hashes. */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { digester } from "../object-server/checksums.js";
import type { Pace } from "../object-server/server.js";
import type { Segment } from "../object-server/stored.js";
import { invalid } from "./error.js";
import { type GcsRequest, headerOf } from "./request.js";
import type { Bucket, Metadata, StoredObject } from "./store.js";

/** The JSON of a small body. */
export async function receiveJson(request: GcsRequest): Promise<Metadata> {
  const pieces: Buffer[] = [];
  for await (const piece of request.incoming as AsyncIterable<Buffer>) pieces.push(piece);
  return parseJson(Buffer.concat(pieces));
}

export function parseJson(bytes: Buffer): Metadata {
  try {
    return bytes.length === 0 ? {} : (JSON.parse(bytes.toString()) as Metadata);
  } catch {
    throw invalid("Parse Error");
  }
}

/** A whole body. @throws {GcsError} when it ends before its announced length */
export async function receiveAll(request: GcsRequest, pace: Pace): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request.incoming as AsyncIterable<Buffer>) {
    pieces.push(piece);
    await pace(piece.length);
  }
  const bytes = Buffer.concat(pieces);
  const announced = headerOf(request, "content-length");
  if (announced !== undefined && Number(announced) !== bytes.length) throw invalid("The body is cut short.");
  return bytes;
}

export async function store(folder: string, bytes: Uint8Array): Promise<Segment> {
  const file = join(folder, randomUUID());
  const handle = await open(file, "wx");
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
  return { file, sizeBytes: bytes.length };
}

/** Hashes of what lies in a file, base64. */
export async function hashesOf({ file, sizeBytes }: Segment): Promise<{ md5: string; crc32c: string }> {
  const running = digester(["md5", "crc32c"]);
  if (sizeBytes > 0)
    for await (const piece of createReadStream(file, { end: sizeBytes - 1 }) as AsyncIterable<Buffer>)
      running.update(piece);
  const { md5 = "", crc32c = "" } = running.finish();
  return { md5, crc32c };
}

/** Makes stored bytes an object. `check` has the last word, in the same turn of the event loop. */
export async function addObject(
  bucket: Bucket,
  said: Metadata,
  segment: Segment,
  sent: { md5?: string | undefined; crc32c?: string | undefined },
  check: () => void,
): Promise<StoredObject> {
  const hashes = await hashesOf(segment);
  for (const name of ["md5", "crc32c"] as const)
    if (sent[name] !== undefined && sent[name] !== hashes[name])
      throw invalid(`Provided ${name === "md5" ? "MD5 hash" : "CRC32C"} "${sent[name]}" doesn't match calculated hash "${hashes[name]}".`); // prettier-ignore
  const key = said.name ?? "";
  if (key === "" || Buffer.byteLength(key) > 1024) throw invalid("Required parameter: name");
  check();
  const { sizeBytes } = segment;
  return bucket.add({ key, said, segments: [segment], sizeBytes, ...hashes });
}
