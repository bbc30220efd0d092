/**
 * The cache as the file system's worker thread sees it: what is on this machine, with handles of its own. What is
 * missing is fetched by the cache of the main thread, which hands the bytes over, so a failing disk costs only memory.
 */
import type { Sha256 } from "../content/chunk.js";
import { weigh } from "../garbage.js";
import { MiB } from "../units.js";
import type { LocalBlocks } from "./block.js";
import { DiskTier, type OnCacheFault, type Warn } from "./disk.js";
import { Tiers } from "./local.js";
import { memoryTier } from "./memory.js";
import type { Whole } from "./whole.js";
import type { OpenWhole } from "./whole-store.js";

export interface LocalBlocksOptions {
  /** The folder of the main thread's cache. */
  directory: string;
  /** Most that blocks may take of memory; it must hold what one operation needs. Default 96 MiB. */
  memoryBytes?: number;
  onWarning?: Warn;
  /** Told of what was mended. */
  onFault?: OnCacheFault;
}

export interface HandedBlocks extends LocalBlocks {
  /**
   * Takes over a block that was fetched and checked; its bytes are not to be changed afterwards.
   *
   * @param isGuess Fetched ahead of whoever may ask for it.
   */
  add(hash: Sha256, bytes: Uint8Array, isGuess?: boolean): void;
  /**
   * The file of a large content that is here completely, in a cache that is ours alone. Who asks closes the descriptor.
   */
  openWhole(whole: Whole): OpenWhole | undefined;
  /** A new empty file where such files lie, already without a name; undefined where there are none. */
  openProbe(): number | undefined;
  /** Look-ups answered by each tier since the start. */
  readonly hits: { memory: number; disk: number };
  /** Blocks that were fetched ahead, and those of them that somebody has asked for since. */
  readonly ahead: { readonly blocks: number; readonly usedBlocks: number };
  /** What memory holds. */
  readonly memory: { entries: number; bytes: number; maxBytes: number };
  /** Writes down which files were used, at most every 10 s. It takes milliseconds: to be called when nothing waits. */
  rest(): void;
  /** Twice is the same as once. */
  close(): void;
}

/** Opens the blocks of a cache folder for one thread. @throws {DatasetError} `bad-input` for another user's folder */
export function openLocalBlocks(options: LocalBlocksOptions): HandedBlocks {
  const { directory, memoryBytes = 96 * MiB, onWarning = () => {}, onFault } = options;
  const memory = memoryTier(memoryBytes);
  const disk = new DiskTier(directory, onWarning, onFault);
  const tiers = new Tiers(memory, disk);
  const guesses = new Guesses();
  return {
    copy(hash, start, end, target, at) {
      const isHere = tiers.copy(hash, start, end, target, at);
      if (isHere && end > start) guesses.used(hash); // Of no bytes it only asks whether the block is here.
      return isHere;
    },
    get(hash) {
      const block = tiers.get(hash);
      if (block) guesses.used(hash);
      return block;
    },
    add(hash, bytes, isGuess = false) {
      if (bytes.buffer instanceof SharedArrayBuffer) weigh(bytes.buffer);
      memory.set(hash, bytes);
      if (isGuess) guesses.made(hash);
    },
    ahead: guesses,
    get memory() {
      return { entries: memory.size, bytes: memory.calculatedSize, maxBytes: memory.maxSize };
    },
    openProbe: () => disk.openProbe(),
    openWhole: (whole) => disk.openWhole(whole),
    hits: tiers.hits,
    rest: () => disk.rest(),
    close: () => disk.close(),
  };
}

/** Guesses that are watched: more than lie in memory at a time. */
const WATCHED_GUESSES = 16_384;

/** Which of the blocks fetched ahead were worth it. Costs nothing while none is waiting to be used. */
class Guesses {
  blocks = 0;
  usedBlocks = 0;
  readonly #unused = new Set<Sha256>();

  made(hash: Sha256): void {
    this.blocks++;
    this.#unused.add(hash);
    if (this.#unused.size <= WATCHED_GUESSES) return;
    const [oldest] = this.#unused;
    this.#unused.delete(oldest!);
  }

  used(hash: Sha256): void {
    if (this.#unused.size > 0 && this.#unused.delete(hash)) this.usedBlocks++;
  }
}
