/**
 * Attachments: bytes that lie beside a version's data and belong to no file of it, such as a large metadata value. Each
 * is an object named by the SHA-256 of what is stored, put before anything names it, and read through the cache, which
 * holds it against the hash. What they mean is for who names them.
 */
import * as z from "zod";
import type { Block } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import { Codec, type RemoteId, type Sha256 } from "../content/chunk.js";
import { encodeChunk } from "../content/encode.js";
import { sha256 } from "../content/hash.js";
import { DatasetError } from "../errors.js";
import { MiB } from "../units.js";
import type { OpenedRemote } from "./workspace.js";

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => text as Sha256);

/** One is held in memory whole by who writes or reads it. A larger table or video is a file of the version. */
export const ATTACHMENT_MAX_BYTES = 64 * MiB;

export const attachmentSchema = z.object({
  /** Of the bytes as they were attached. */
  sha256: hash,
  bytes: z.number().int().nonnegative().max(ATTACHMENT_MAX_BYTES),
  /** The remote it lies in: a child may name what lies in that of its parent. */
  remote: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .transform((text) => text as RemoteId),
  /** Where it is not stored as it is: SHA-256 and size of the object. */
  brotli: z.object({ sha256: hash, bytes: z.number().int().nonnegative() }).optional(),
});

/** Says where bytes lie, and what proves that they are the right ones. Plain data, for JSON. */
export type Attachment = z.infer<typeof attachmentSchema>;

/** Stores bytes, compressed where that pays. Twice is the same as once. @throws {DatasetError} `bad-input` over 64 MiB */
export async function putAttachment({ id, remote }: OpenedRemote, bytes: Uint8Array): Promise<Attachment> {
  if (bytes.length > ATTACHMENT_MAX_BYTES) throw tooLarge(bytes.length);
  const { codec, stored } = encodeChunk(bytes);
  const object = sha256(stored);
  if (bytes.length > 0) await remote.put(attachmentKey(object), stored, { sha256: object });
  const attachment = { sha256: sha256(bytes), bytes: bytes.length, remote: id };
  return codec === Codec.raw
    ? attachment
    : { ...attachment, brotli: { sha256: object, bytes: stored.length } };
}

/** @throws {DatasetError} `content-damaged`, `object-missing`, `offline` */
export async function readAttachment(cache: Cache, attachment: Attachment): Promise<Uint8Array> {
  return attachment.bytes === 0 ? new Uint8Array() : cache.read(blockOfAttachment(attachment));
}

/** An attachment as the cache knows it. */
export function blockOfAttachment({ sha256, bytes, remote, brotli }: Attachment): Block {
  const stored = brotli ?? { sha256, bytes };
  const codec = brotli ? Codec.brotli : Codec.raw;
  const key = attachmentKey(stored.sha256);
  return { hash: sha256, sizeBytes: bytes, remote, key, offset: 0, storedBytes: stored.bytes, codec };
}

export function attachmentKey(object: Sha256): string {
  return `attachments/${object.slice(0, 2)}/${object}`;
}

function tooLarge(sizeBytes: number): DatasetError<"bad-input"> {
  const message = `Cannot attach ${sizeBytes} bytes: at most ${ATTACHMENT_MAX_BYTES} are taken; add it to the version as a file`;
  return new DatasetError("bad-input", { value: String(sizeBytes) }, message);
}
