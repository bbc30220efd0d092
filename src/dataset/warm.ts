/**
 * Warming the cache with a version or some paths of it, under a pin: what is here stays, what is missing is fetched with
 * many requests at once, and none of it is evicted meanwhile. Done a second time it fetches nothing.
 */
import type { Block } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import { type PinIndex, cacheFull, pinnableBytes } from "../cache/pin-index.js";
import type { Sha256 } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import type { Tree } from "../manifest/tree.js";
import type { TreePath } from "../paths.js";
import { MiB } from "../units.js";
import { Survey } from "./survey.js";
import { type Slice, filesIn, firstTime, slicesOf } from "./version-blocks.js";

export interface WarmOptions {
  signal?: AbortSignal | undefined;
  /** Told of the bytes that are in the cache for certain, as they come to be. */
  onProgress?: ((progress: WarmProgress) => void) | undefined;
}

export interface WarmProgress {
  bytes: number;
  totalBytes: number;
}

/** What is to be warmed, and where. */
export interface Warmth {
  tree: Tree;
  /** The block of the tree's root. */
  root: Block;
  /** The empty one is the whole tree. */
  paths: readonly TreePath[];
  cache: Cache;
  pins: PinIndex;
  /** Most the cache may take, in bytes. */
  maxBytes: number;
  /** Makes the pin, once it is known that all will fit; gives its id. */
  pin: () => number;
}

/** Fetched and pinned together: two requests, or some hundred small files. */
const BATCH_BYTES = 8 * MiB;
const BATCH_BLOCKS = 4_096;
/** What is laid down and not yet pinned may be evicted by others that read much; it is then asked for again. */
const MOST_TRIES = 5;
const NOTHING = new Uint8Array(0);

/**
 * Brings all of it into the cache and pins it there. Costs two walks over the manifest; memory is bounded.
 *
 * @returns The bytes it measures.
 * @throws {DatasetError} `cache-full`, before anything is fetched; `path-missing`; `cancelled`; what the cache throws
 */
export async function warm(warmth: Warmth, options: WarmOptions = {}): Promise<number> {
  const found = await surveyOf(warmth);
  const neededBytes = found.neededBytes();
  if (neededBytes > pinnableBytes(warmth.maxBytes)) throw cacheFull(neededBytes, warmth.maxBytes);
  await new Warming(warmth, found, warmth.pin(), options).run();
  return found.totalBytes;
}

async function surveyOf(warmth: Warmth): Promise<Survey> {
  const found = new Survey(warmth.pins);
  for await (const blocks of blocksOf(warmth)) for (const block of blocks) found.add(block);
  return found;
}

/** The root, then each range and what lies in it, file by file. */
async function* blocksOf(warmth: Warmth): AsyncGenerator<Block[]> {
  const isFirst = firstTime();
  const { root, cache } = warmth;
  yield [root].filter(isFirst);
  for await (const slice of slicesIn(warmth)) {
    yield [slice.block].filter(isFirst);
    for (const blocks of filesIn(slice, (whole) => cache.keepsWhole(whole))) yield blocks.filter(isFirst);
  }
}

function slicesIn({ tree, paths, cache }: Warmth): AsyncGenerator<Slice> {
  return slicesOf(tree, paths, (operation) => cache.complete(operation));
}

class Warming {
  readonly #windowBytes: number;
  #batch: Block[] = [];
  #batchBytes = 0;
  /** Batches under way, and their bytes. */
  readonly #underway = new Map<Promise<void>, number>();
  #failure: { error: unknown } | undefined;
  #doneBytes = 0;
  #hasParts = false;

  constructor(
    private readonly warmth: Warmth,
    private readonly found: Survey,
    private readonly pin: number,
    private readonly options: WarmOptions,
  ) {
    // What is laid down and not pinned yet has to find room beside what is.
    this.#windowBytes = warmth.maxBytes - pinnableBytes(warmth.maxBytes);
  }

  async run(): Promise<void> {
    const { pins, maxBytes } = this.warmth;
    pins.coverFiles(this.pin, this.found.stayingFiles(), maxBytes);
    try {
      for await (const blocks of blocksOf(this.warmth)) await this.#add(blocks);
      await this.#begin();
      await this.#until(() => this.#underway.size === 0);
    } finally {
      await Promise.all(this.#underway.keys());
    }
    if (this.#hasParts) await this.#settle();
    pins.complete(this.pin);
  }

  async #add(blocks: readonly Block[]): Promise<void> {
    for (const block of blocks) {
      this.#batch.push(block);
      this.#batchBytes += block.sizeBytes;
      this.#hasParts ||= block.part !== undefined;
      const isFull = this.#batchBytes >= Math.min(BATCH_BYTES, this.#windowBytes / 2);
      if (isFull || this.#batch.length >= BATCH_BLOCKS) await this.#begin();
    }
  }

  /** Starts the batch that was gathered, once there is room for it among those under way. */
  async #begin(): Promise<void> {
    const [blocks, bytes] = [this.#batch, this.#batchBytes];
    [this.#batch, this.#batchBytes] = [[], 0];
    const underwayBytes = () => [...this.#underway.values()].reduce((sum, each) => sum + each, 0);
    await this.#until(() => this.#underway.size === 0 || underwayBytes() + bytes <= this.#windowBytes);
    const work: Promise<void> = this.#take(blocks)
      .then(() => this.#tell(bytes))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#underway.delete(work));
    this.#underway.set(work, bytes);
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue() && !this.#failure) await Promise.race(this.#underway.keys());
    if (this.#failure) throw this.#failure.error;
  }

  async #take(blocks: readonly Block[]): Promise<void> {
    const { pins, maxBytes } = this.warmth;
    let lacking = blocks.filter((block) => !this.found.stays(block));
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      await this.#lay(lacking);
      const hashes = new Set<Sha256>(pins.cover(this.pin, hashesOf(blocks), maxBytes));
      lacking = blocks.filter(({ hash }) => hashes.has(hash));
      if (lacking.length === 0) return;
    }
    throw notKept(lacking);
  }

  /** What is fetched is kept by the cache itself; what was here lies in the wrong place, or in memory alone. */
  async #lay(blocks: readonly Block[]): Promise<void> {
    const { cache } = this.warmth;
    const wasHere = blocks.map(({ hash }) => cache.local.copy(hash, 0, 0, NOTHING, 0));
    const bytes = await cache.readMany(blocks, { signal: this.options.signal });
    for (const [at, block] of blocks.entries()) if (wasHere[at]) cache.keep(block, bytes[at]!);
    if (blocks.length > 0) await cache.flush();
  }

  /** Large files lie in one piece now, unless several processes laid their parts. */
  async #settle(): Promise<void> {
    const { cache, pins, maxBytes } = this.warmth;
    for await (const slice of slicesIn(this.warmth))
      for (const blocks of filesIn(slice, (whole) => cache.keepsWhole(whole))) {
        if (!blocks[0]?.part) continue;
        await cache.settle(blocks);
        pins.cover(this.pin, hashesOf(blocks), maxBytes);
      }
  }

  #tell(bytes: number): void {
    this.#doneBytes += bytes;
    this.options.onProgress?.({ bytes: this.#doneBytes, totalBytes: this.found.totalBytes });
  }
}

function hashesOf(blocks: readonly Block[]): Sha256[] {
  return blocks.map(({ hash }) => hash);
}

function notKept(blocks: readonly Block[]): DatasetError<"cache-full"> {
  const bytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const problem = "others need its room, or its disk takes no more";
  const message = `Cannot keep in the cache what was fetched: ${problem}`;
  return new DatasetError("cache-full", { neededBytes: bytes, roomBytes: 0 }, message);
}
