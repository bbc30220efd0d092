/** The checksums a client may send with a body, by the names that stores have for them. */
import { type Hash, createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const ALGORITHMS = ["crc32", "crc32c", "sha1", "sha256"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
/** What is computed over a body; `md5` makes the ETag. */
export type DigestName = Algorithm | "md5";

/** Digests of one body, base64 as stores have them, `md5` as well. */
export type Digests = Partial<Record<DigestName, string>>;

export interface Digester {
  update(bytes: Uint8Array): void;
  finish(): Digests;
}

/** Computes these digests in one pass. */
export function digester(names: Iterable<DigestName>): Digester {
  const running = [...new Set(names)].map((name) => [name, digestOf(name)] as const);
  return {
    update: (bytes) => running.forEach(([, digest]) => digest.update(bytes)),
    finish: () => Object.fromEntries(running.map(([name, digest]) => [name, digest.digest("base64")])),
  };
}

/** A checksum of checksums, as a multipart upload of composite type has it: `base64-3`. */
export function compositeOf(algorithm: DigestName, parts: readonly string[]): string {
  const whole = digestOf(algorithm);
  for (const part of parts) whole.update(Buffer.from(part, "base64"));
  return [whole.digest("base64"), parts.length].join("-");
}

interface RunningDigest {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "base64"): string;
}

function digestOf(name: DigestName): Hash | RunningDigest {
  if (name === "crc32") return runningCrc((bytes, value) => crc32(bytes, value));
  if (name === "crc32c") return runningCrc(crc32c);
  return createHash(name);
}

function runningCrc(step: (bytes: Uint8Array, value: number) => number): RunningDigest {
  let value = 0;
  return {
    update: (bytes) => (value = step(bytes, value)),
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes.toString("base64");
    },
  };
}

/** Castagnoli's polynomial, reflected. Source: RFC 3720, appendix B.4 */
const CRC32C_POLYNOMIAL = 0x82f63b78;

const CRC32C_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1;
  return value;
});

function crc32c(bytes: Uint8Array, before: number): number {
  let value = ~before;
  for (const byte of bytes) value = CRC32C_TABLE[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}
