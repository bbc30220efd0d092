/** Versions that tests mount. The process that serves one and the test that looks at it make the same bytes. */
import { createHash } from "node:crypto";

import { KiB, MiB } from "../../../src/units.js";
import type { Item } from "./version.js";

/** `sizeBytes` bytes that look random and are the same everywhere for one seed. */
export function bytesOf(seed: string, sizeBytes: number): Buffer {
  const block = createHash("shake256", { outputLength: Math.min(sizeBytes, 1 * MiB) })
    .update(seed)
    .digest();
  const bytes = Buffer.alloc(sizeBytes, block);
  for (let at = 0; at < sizeBytes; at += 1 * MiB)
    bytes.writeUIntBE(at / MiB, at, Math.min(6, sizeBytes - at));
  return bytes;
}

const LONG_NAME = "n".repeat(255);

/** A bit of everything a tree can hold. */
const everything: Item[] = [
  { path: "docs" },
  { path: "docs/empty", content: Buffer.alloc(0), mode: 0o600 },
  {
    path: "docs/hello.txt",
    content: Buffer.from("hello\n"),
    mtimeSec: 1_234_567_890,
    mtimeNsec: 123_456_789,
  },
  { path: "docs/old", content: Buffer.from("before 1970"), mtimeSec: -5, mtimeNsec: 999_999_999 },
  { path: "docs/run", content: Buffer.from("#!/bin/sh\necho ran\n"), mode: 0o755 },
  { path: "docs/to-hello", target: "hello.txt" },
  { path: "docs/\xff\xfe", content: Buffer.from("not UTF-8") },
  { path: `docs/${LONG_NAME}`, content: Buffer.from("long name") },
  { path: "docs/with space\nand line", content: Buffer.from("odd") },
  {
    path: "docs/marked",
    content: Buffer.from("marked"),
    xattrs: new Map([["user.colour", Buffer.from("red")]]),
  },
  { path: "links" },
  { path: "links/a", content: Buffer.from("shared"), hardLinks: ["links/b", "links/c"] },
  { path: "links/b", content: Buffer.from("shared"), hardLinks: ["links/a"] },
  { path: "links/c", content: Buffer.from("shared"), hardLinks: ["links/a"] },
  { path: "big", content: bytesOf("big", 5 * MiB + 123) },
  { path: "sparse", content: sparse(), holes: [[4 * KiB, 1 * MiB]] },
];

function sparse(): Buffer {
  return Buffer.concat([
    bytesOf("sparse", 4 * KiB),
    Buffer.alloc(1 * MiB - 4 * KiB),
    bytesOf("tail", 4 * KiB),
  ]);
}

/** One folder of many small files, each with its own content. */
function folder(count: number, sizeBytes: number): Item[] {
  const file = (n: number) => ({
    path: `many/${String(n).padStart(6, "0")}`,
    content: bytesOf(`file ${n}`, sizeBytes),
  });
  return [{ path: "many" }, ...Array.from({ length: count }, (_, n) => file(n))];
}

/** A file that the cache keeps in one piece, one whose second half is as its first, and smaller ones. */
function large(): Item[] {
  const half = bytesOf("half", 8 * MiB);
  return [
    { path: "large", content: bytesOf("large", 24 * MiB + 123) },
    { path: "recurring", content: Buffer.concat([half, half]) },
    { path: "small", content: bytesOf("small", 1 * MiB) },
  ];
}

const SAMPLES = {
  everything: () => everything,
  folder5000: () => folder(5_000, 32),
  folder10000: () => folder(10_000, 32),
  small5000: () => folder(5_000, 1 * KiB),
  pages5000: () => folder(5_000, 8 * KiB),
  large,
  stream: () => [{ path: "stream", content: bytesOf("stream", 256 * MiB) }],
  stream1GiB: () => [{ path: "stream", content: bytesOf("stream", 1024 * MiB) }],
};
export type SampleName = keyof typeof SAMPLES;

export function sample(name: SampleName): Item[] {
  return SAMPLES[name]();
}
