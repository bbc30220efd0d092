import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import fc from "fast-check";
import { Codec } from "../../src/content/chunk.js";
import { decodeChunk, decodeChunkAside } from "../../src/content/decode.js";
import { encodeChunk } from "../../src/content/encode.js";
import { DatasetError } from "../../src/errors.js";
import { KiB, MiB } from "../../src/units.js";

const lines = (sizeBytes: number) => Buffer.alloc(sizeBytes, '{"label": "cat", "score": 0.25}\n');

test("text is compressed, random bytes and chunks under 256 bytes stay as they are", () => {
  assert.equal(encodeChunk(lines(600)).codec, Codec.brotli);
  assert.equal(encodeChunk(lines(1 * MiB)).codec, Codec.brotli);
  assert.equal(encodeChunk(lines(255)).codec, Codec.raw);
  for (const sizeBytes of [300, 10 * KiB, 1 * MiB]) {
    const bytes = randomBytes(sizeBytes);
    assert.deepEqual(encodeChunk(bytes), { codec: Codec.raw, stored: bytes });
  }
});

test("a chunk that shrinks only in its first 64 KiB is stored raw", () => {
  const bytes = Buffer.concat([lines(64 * KiB), randomBytes(1 * MiB)]);
  assert.equal(encodeChunk(bytes).codec, Codec.raw);
});

test("what is encoded decodes to the same bytes, on this thread and aside", async () => {
  const text = fc.string({ minLength: 0, maxLength: 3000, size: "max" }).map((string) => Buffer.from(string));
  const content = fc.oneof(text, fc.uint8Array({ maxLength: 3000, size: "max" }));
  const property = fc.asyncProperty(content, async (bytes) => {
    const { codec, stored } = encodeChunk(bytes);
    const encoding = { codec, sizeBytes: bytes.length };
    assert.ok(Buffer.from(bytes).equals(decodeChunk(stored, encoding)));
    assert.ok(Buffer.from(bytes).equals(await decodeChunkAside(stored, encoding)));
  });
  await fc.assert(property, { numRuns: 200 });
});

test("stored bytes that decode to more, to fewer, or not at all are damaged", async () => {
  const bomb = brotliCompressSync(Buffer.alloc(64 * MiB));
  const damages = [
    { stored: bomb, codec: Codec.brotli },
    { stored: brotliCompressSync(lines(999)), codec: Codec.brotli },
    { stored: randomBytes(500), codec: Codec.brotli },
    { stored: randomBytes(999), codec: Codec.raw },
    { stored: randomBytes(1001), codec: Codec.raw },
  ];
  for (const { stored, codec } of damages) {
    const isDamaged = (error: unknown) => error instanceof DatasetError && error.code === "content-damaged";
    assert.throws(() => decodeChunk(stored, { codec, sizeBytes: 1000 }), isDamaged);
    await assert.rejects(decodeChunkAside(stored, { codec, sizeBytes: 1000 }), isDamaged);
  }
});

test("a codec of a newer varve is refused by its number", () => {
  const encoding = { codec: 7 as Codec, sizeBytes: 3 };
  assert.throws(() => decodeChunk(Buffer.from("abc"), encoding), { code: "format-newer" });
});
