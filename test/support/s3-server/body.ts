/** The body of a request, written to a file while it is checked against everything that was sent to check it by. */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";

import {
  ALGORITHMS,
  type Algorithm,
  type DigestName,
  type Digests,
  digester,
} from "../object-server/checksums.js";
import type { Pace } from "../object-server/server.js";
import { unframed } from "./aws-chunked.js";
import { S3Error, invalid } from "./error.js";
import { type S3Request, headerOf } from "./request.js";

export interface Received {
  /** Where the bytes lie. */
  file: string;
  sizeBytes: number;
  /** `md5`, and the checksum that was sent, if one was. */
  digests: Digests;
  /** What the client sent, and what the store therefore remembers. */
  algorithm: Algorithm | undefined;
}

/** Receives a body into a new file of `folder`. @throws {S3Error} when it is not what was announced; nothing is kept */
export async function receiveBody(request: S3Request, folder: string, pace: Pace): Promise<Received> {
  const file = join(folder, randomUUID());
  const handle = await open(file, "wx");
  try {
    return { file, ...(await receive(request, handle, pace)) };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** A small body that is no object: the XML of a request. */
export async function receiveText(request: S3Request, folder: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { file } = await receiveBody(request, folder, () => undefined);
  const text = await readFile(file, "utf8");
  await rm(file);
  return text;
}

async function receive(request: S3Request, handle: FileHandle, pace: Pace): Promise<Omit<Received, "file">> {
  const { chunks, trailers } = framesOf(request);
  const trailer = headerOf(request, "x-amz-trailer")?.toLowerCase();
  const algorithm = algorithmOf(request, trailer);
  const payloadHash = headerOf(request, "x-amz-content-sha256") ?? "";
  const isSigned = /^[0-9a-f]{64}$/.test(payloadHash);
  const names: DigestName[] = [
    "md5",
    ...(algorithm ? [algorithm] : []),
    ...(isSigned ? ["sha256" as const] : []),
  ];

  const running = digester(names);
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    running.update(chunk);
    await handle.write(chunk);
    sizeBytes += chunk.length;
    await pace(chunk.length);
  }
  const digests = running.finish();
  checkLength(request, sizeBytes);
  if (isSigned && hexOf(digests.sha256!) !== payloadHash)
    throw invalid("The provided 'x-amz-content-sha256' header does not match what was computed.", "XAmzContentSHA256Mismatch"); // prettier-ignore
  checkDigests(request, digests, algorithm, trailer === undefined ? undefined : trailers.get(trailer));
  if (!algorithm) return { sizeBytes, algorithm, digests: { md5: digests.md5! } };
  return { sizeBytes, algorithm, digests: { md5: digests.md5!, [algorithm]: digests[algorithm] } };
}

function framesOf(request: S3Request): { chunks: AsyncIterable<Buffer>; trailers: Map<string, string> } {
  const payload = headerOf(request, "x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const isFramed = headerOf(request, "content-encoding")?.split(/, */).includes("aws-chunked") === true;
  if (payload === "STREAMING-UNSIGNED-PAYLOAD-TRAILER" && isFramed) return unframed(request.incoming);
  if (payload.startsWith("STREAMING-")) throw new S3Error(501, "NotImplemented", `Payload ${payload}`);
  if (isFramed) throw invalid("aws-chunked without a streaming payload", "InvalidRequest");
  return { chunks: request.incoming, trailers: new Map() };
}

function algorithmOf(request: S3Request, trailer: string | undefined): Algorithm | undefined {
  const sent = ALGORITHMS.filter(
    (name) =>
      trailer === `x-amz-checksum-${name}` ||
      headerOf(request, `x-amz-checksum-${name}`) !== undefined ||
      request.query.has(`x-amz-checksum-${name}`),
  );
  if (sent.length > 1) throw invalid("Expecting a single x-amz-checksum- header", "InvalidRequest");
  if (trailer !== undefined && sent.length === 0)
    throw invalid(`Unknown trailer ${trailer}`, "InvalidRequest");
  return sent[0];
}

function checkLength(request: S3Request, sizeBytes: number): void {
  const decoded = headerOf(request, "x-amz-decoded-content-length");
  const framed = headerOf(request, "x-amz-trailer") !== undefined;
  if (framed && decoded === undefined)
    throw new S3Error(411, "MissingContentLength", "You must provide x-amz-decoded-content-length");
  const announced = framed ? decoded : headerOf(request, "content-length");
  if (announced === undefined && sizeBytes > 0)
    throw new S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  if (Number(announced ?? 0) !== sizeBytes)
    throw invalid(
      "You did not provide the number of bytes specified by the Content-Length",
      "IncompleteBody",
    );
}

function checkDigests(
  request: S3Request,
  digests: Digests,
  algorithm: Algorithm | undefined,
  trailer: string | undefined,
): void {
  const md5 = headerOf(request, "content-md5");
  if (md5 !== undefined && md5 !== digests.md5)
    throw invalid("The Content-MD5 you specified did not match what we received.", "BadDigest");
  if (!algorithm) return;
  const name = `x-amz-checksum-${algorithm}`;
  const sent = trailer ?? headerOf(request, name) ?? request.query.get(name);
  if (sent !== digests[algorithm])
    throw invalid(
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
      "BadDigest",
    );
}

function hexOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
