/** Shared by the tests of storing: files to store, and a look at what the remote then holds. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Chunk, type RemoteId, type Sha256, packKey } from "../../src/content/chunk.js";
import { decodeChunk } from "../../src/content/decode.js";
import { sha256 } from "../../src/content/hash.js";
import {
  type ContentSource,
  type StoreOptions,
  type StoredContent,
  storeContent,
} from "../../src/content/store.js";
import { bytesOfText } from "../../src/paths.js";
import type { Scope } from "../support/cleanup.js";
import type { MemoryRemote } from "../support/memory-remote.js";
import { tempDir } from "../support/temp.js";

const REMOTE_ID = "0123456789abcdef0123456789abcdef" as RemoteId;

/** Stores everything, and gives the results in the order they came. */
export async function store(
  sources: Iterable<ContentSource<number>>,
  options: Partial<StoreOptions> & Pick<StoreOptions, "remote">,
): Promise<StoredContent<number>[]> {
  const stored: StoredContent<number>[] = [];
  for await (const file of storeContent(sources, optionsFor(options.remote, options))) stored.push(file);
  return stored;
}

/** Options with the rest left to their defaults; nothing is known. */
export function optionsFor(remote: StoreOptions["remote"], options: Partial<StoreOptions>): StoreOptions {
  return { remoteId: REMOTE_ID, known: knowing(new Map()), ...options, remote };
}

/** A `known` that answers from a map. */
export function knowing(chunks: ReadonlyMap<Sha256, Chunk>): StoreOptions["known"] {
  return async (hashes) =>
    new Map(hashes.flatMap((hash) => (chunks.has(hash) ? [[hash, chunks.get(hash)!] as const] : [])));
}

/** Files of these contents in a folder of their own, as sources numbered from 0. */
export async function written(
  scope: Scope,
  contents: readonly Uint8Array[],
): Promise<ContentSource<number>[]> {
  const folder = join(await tempDir(scope), "files");
  await mkdir(folder);
  const paths = contents.map((_, index) => join(folder, String(index)));
  await Promise.all(paths.map((path, index) => writeFile(path, contents[index]!)));
  return paths.map((path, id) => ({
    id,
    sizeBytes: contents[id]!.length,
    from: { path: bytesOfText(path) },
  }));
}

/** Fails unless the packs hold the content of a stored file, and its facts are right. */
export function assertHolds(remote: MemoryRemote, file: StoredContent<number>, content: Buffer): void {
  const parts = file.chunks.map(({ pack, offset, storedBytes, codec, sizeBytes, hash, remote: remoteId }) => {
    const stored = remote.objects.get(packKey(pack))!.subarray(offset, offset + storedBytes);
    const bytes = decodeChunk(stored, { codec, sizeBytes });
    assert.equal(sha256(bytes), hash);
    assert.equal(remoteId, REMOTE_ID);
    return bytes;
  });
  assert.equal(file.sizeBytes, content.length);
  assert.equal(file.sha256, sha256(content));
  assert.ok(Buffer.concat(parts).equals(content), `bytes of file ${file.id}`);
}
