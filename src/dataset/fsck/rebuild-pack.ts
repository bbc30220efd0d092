/**
 * A pack made anew from the chunks it held: each from what of the pack is still right, from the cache, from another pack that
 * holds the same chunk, or from a file of this machine that has the content. A pack is named by its SHA-256, so a wrong
 * guess, such as bytes that another release compressed differently, is never put.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { decodeChecked } from "../../cache/flights.js";
import { blockOfChunk } from "../../cache/block.js";
import { type Chunk, Codec, type Sha256, packKey } from "../../content/chunk.js";
import { encodeChunk } from "../../content/encode.js";
import { sha256 } from "../../content/hash.js";
import { mapInOrder } from "../../content/in-order.js";
import { DatasetError, isDatasetError } from "../../errors.js";
import { EntryType } from "../../manifest/entry.js";
import type { Range } from "../../manifest/range.js";
import { blockOfRange } from "../../manifest/range-ref.js";
import { openRangeOf } from "../../manifest/range.js";
import type { ObjectKey } from "../../remote/remote.js";
import type { FoundVersion } from "../history.js";
import { openVersionTree } from "../version-tree.js";
import type { OpenedRemote, Workspace } from "../workspace.js";

/** A chunk of a lost pack, and where its bytes may be found. */
interface LostChunk {
  chunk: Chunk;
  /** The same chunk in other packs. */
  copies: Chunk[];
  /** Files that hold it: the hash of all of one, and where in it the chunk begins. */
  files: { sha256: Sha256; offset: number }[];
}

const RANGES_AT_ONCE = 8;
const MOST_FILES = 4;

export class PackRebuilder {
  /** By key of the pack, then by offset. */
  readonly #packs = new Map<ObjectKey, Map<number, LostChunk>>();

  private constructor(
    private readonly workspace: Workspace,
    private readonly opened: OpenedRemote,
  ) {}

  /** Reads all listings twice: for what the packs held, then for where else that lies. */
  static async of(
    workspace: Workspace,
    opened: OpenedRemote,
    versions: readonly FoundVersion[],
    keys: ReadonlySet<ObjectKey>,
  ): Promise<PackRebuilder> {
    const rebuilder = new PackRebuilder(workspace, opened);
    for await (const range of rangesOf(workspace, versions)) rebuilder.#noteLost(range, keys);
    const lost = new Map<Sha256, LostChunk[]>();
    for (const chunks of rebuilder.#packs.values())
      for (const one of chunks.values()) lost.set(one.chunk.hash, [...(lost.get(one.chunk.hash) ?? []), one]);
    for await (const range of rangesOf(workspace, versions)) noteCopies(range, keys, lost);
    return rebuilder;
  }

  /** Puts the pack; gives from what it was made. @throws {DatasetError} `content-damaged` where something of it is nowhere */
  async rebuild(key: ObjectKey, signal?: AbortSignal): Promise<string> {
    const lost = [...(this.#packs.get(key)?.values() ?? [])].sort((a, b) => a.chunk.offset - b.chunk.offset);
    const sources = new Set<string>();
    const pieces = () => this.#pieces(key, lost, sources);
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const piece of pieces()) {
      hash.update(piece);
      sizeBytes += piece.length;
    }
    const name = key.slice(key.lastIndexOf("/") + 1);
    const got = hash.digest("hex");
    if (got !== name) throw notTheSame(key, name, got);
    await this.opened.remote.put(key, { sizeBytes, chunks: pieces }, { sha256: name, signal });
    return [...sources].sort().join(", ");
  }

  #noteLost(range: Range, keys: ReadonlySet<ObjectKey>): void {
    for (const { chunk, file } of chunksOf(range)) {
      const key = packKey(chunk.pack);
      if (!keys.has(key) || chunk.remote !== this.opened.id) continue;
      const chunks = this.#packs.get(key) ?? new Map<number, LostChunk>();
      this.#packs.set(key, chunks);
      const known = chunks.get(chunk.offset) ?? { chunk, copies: [], files: [] };
      if (known.files.length < MOST_FILES) known.files.push(file);
      chunks.set(chunk.offset, known);
    }
  }

  /** The pack's bytes from its start; what lies between known chunks is taken as it is stored. */
  async *#pieces(
    key: ObjectKey,
    lost: readonly LostChunk[],
    sources: Set<string>,
  ): AsyncGenerator<Uint8Array> {
    let at = 0;
    const stored = await this.opened.remote.stat(key);
    for (const one of lost) {
      if (one.chunk.offset > at) yield await this.#asStored(key, at, one.chunk.offset, stored?.sizeBytes);
      yield await this.#storedBytes(one, sources);
      at = one.chunk.offset + one.chunk.storedBytes;
    }
    if (stored && stored.sizeBytes > at)
      yield await this.#asStored(key, at, stored.sizeBytes, stored.sizeBytes);
  }

  async #asStored(key: ObjectKey, start: number, end: number, sizeBytes = 0): Promise<Uint8Array> {
    if (end <= sizeBytes) return this.opened.remote.read(key, start, end);
    const message = `Cannot make "${key}" anew: no version tells what its bytes ${start} to ${end} were`;
    throw new DatasetError("content-damaged", { what: key, wanted: "all of it", got: "gaps" }, message);
  }

  async #storedBytes({ chunk, copies, files }: LostChunk, sources: Set<string>): Promise<Uint8Array> {
    const own = await this.#readChunk(chunk);
    if (own) return own.stored;
    const found =
      (await this.#fromCache(chunk, sources)) ??
      (await this.#fromCopies(copies, sources)) ??
      this.#fromFiles(chunk, files, sources);
    const stored = found && encodedAs(chunk, found);
    if (stored) return stored;
    const what = packKey(chunk.pack);
    const message = `Cannot make "${what}" anew: chunk ${chunk.hash} is neither in the cache, nor in another pack, nor in a file that this machine remembers`;
    throw new DatasetError("content-damaged", { what, wanted: chunk.hash, got: "nothing" }, message);
  }

  /** A chunk where it lies, if it is right there. */
  async #readChunk(chunk: Chunk): Promise<{ stored: Uint8Array; bytes: Uint8Array } | undefined> {
    const { remote: id, pack, offset, storedBytes } = chunk;
    try {
      const remote = await this.workspace.remote(id);
      const stored = await remote.read(packKey(pack), offset, offset + storedBytes);
      return { stored, bytes: await decodeChecked(blockOfChunk(chunk), stored) };
    } catch (error) {
      if (isDatasetError(error) && !isDatasetError(error, "cancelled")) return undefined;
      throw error;
    }
  }

  async #fromCache({ hash }: Chunk, sources: Set<string>): Promise<Uint8Array | undefined> {
    const bytes = (await this.workspace.cache()).local.get(hash);
    if (!bytes || sha256(bytes) !== hash) return undefined;
    sources.add("the cache");
    return bytes;
  }

  async #fromCopies(copies: readonly Chunk[], sources: Set<string>): Promise<Uint8Array | undefined> {
    for (const copy of copies) {
      const found = await this.#readChunk(copy);
      if (!found) continue;
      sources.add("another pack");
      return found.bytes;
    }
    return undefined;
  }

  #fromFiles(
    { hash, sizeBytes }: Chunk,
    files: LostChunk["files"],
    sources: Set<string>,
  ): Uint8Array | undefined {
    for (const { sha256: whole, offset } of files)
      for (const path of this.workspace.stamps().pathsOf(whole)) {
        const bytes = partOf(path, offset, sizeBytes);
        if (!bytes || sha256(bytes) !== hash) continue;
        sources.add("files of this machine");
        return bytes;
      }
    return undefined;
  }
}

/** Each range of all versions once. What cannot be read is passed over: its problem is known. */
async function* rangesOf(workspace: Workspace, versions: readonly FoundVersion[]): AsyncGenerator<Range> {
  const cache = await workspace.cache();
  const seen = new Set<Sha256>();
  for (const { version } of versions) {
    const tree = await openVersionTree(workspace, version).catch(orNothing);
    if (!tree) continue;
    const refs = Array.from({ length: tree.root.rangeCount }, (_, number) => tree.root.rangeAt(number));
    const fresh = refs.filter(({ object }) => !seen.has(object));
    for (const { object } of fresh) seen.add(object);
    const read = async (ref: (typeof refs)[number]) => {
      const bytes = await cache.read(blockOfRange(ref)).catch(orNothing);
      return bytes && openRangeOf(bytes, ref);
    };
    for await (const range of mapInOrder(fresh, RANGES_AT_ONCE, read)) if (range) yield range;
  }
}

function* chunksOf(range: Range): Generator<{ chunk: Chunk; file: { sha256: Sha256; offset: number } }> {
  for (let index = 0; index < range.count; index++) {
    if (range.typeAt(index) !== EntryType.file) continue;
    const entry = range.entryAt(index);
    if (entry.type !== EntryType.file) continue;
    let offset = 0;
    for (const chunk of entry.chunks) {
      yield { chunk, file: { sha256: entry.sha256, offset } };
      offset += chunk.sizeBytes;
    }
  }
}

function noteCopies(
  range: Range,
  keys: ReadonlySet<ObjectKey>,
  lost: ReadonlyMap<Sha256, LostChunk[]>,
): void {
  for (const { chunk, file } of chunksOf(range))
    for (const one of lost.get(chunk.hash) ?? []) {
      if (!keys.has(packKey(chunk.pack))) one.copies.push(chunk);
      if (one.files.length < MOST_FILES) one.files.push(file);
    }
}

/** As a pack stored it, where it is compressed today as it was then. */
function encodedAs({ codec, storedBytes }: Chunk, bytes: Uint8Array): Uint8Array | undefined {
  if (codec === Codec.raw) return bytes;
  const { stored } = encodeChunk(bytes);
  return stored.length === storedBytes ? stored : undefined;
}

function partOf(path: string, offset: number, sizeBytes: number): Uint8Array | undefined {
  const bytes = Buffer.alloc(sizeBytes);
  try {
    const descriptor = openSync(Buffer.from(path, "latin1"), "r");
    try {
      return readSync(descriptor, bytes, 0, sizeBytes, offset) === sizeBytes ? bytes : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined; // It was there when it was added.
  }
}

function orNothing(error: unknown): undefined {
  if (!isDatasetError(error) || isDatasetError(error, "cancelled")) throw error;
}

function notTheSame(key: ObjectKey, wanted: string, got: string): DatasetError<"content-damaged"> {
  const message = `Cannot make "${key}" anew: what this release makes of its chunks is not what it was`;
  return new DatasetError("content-damaged", { what: key, wanted, got }, message);
}
