/** Bytes that look random and are the same in every run. */
import { createCipheriv, createHash } from "node:crypto";

/** `sizeBytes` bytes told by `seed`: the key stream of AES-128 in counter mode. */
export function noise(seed: string, sizeBytes: number): Buffer {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}
