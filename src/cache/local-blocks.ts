/**
 * The cache as the file system's worker thread sees it: what is on this machine, with handles of its own. What is
 * missing is fetched by the cache of the main thread, which hands the bytes over, so a failing disk costs only memory.
 */
import type { Sha256 } from "../content/chunk.js";
import { weigh } from "../garbage.js";
import { MiB } from "../units.js";
import type { LocalBlocks } from "./block.js";
import { DiskTier, type Warn } from "./disk.js";
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
}

export interface HandedBlocks extends LocalBlocks {
  /** Takes over a block that was fetched and checked; its bytes are not to be changed afterwards. */
  add(hash: Sha256, bytes: Uint8Array): void;
  /**
   * The file of a large content that is here completely, in a cache that is ours alone. Who asks closes the descriptor.
   */
  openWhole(whole: Whole): OpenWhole | undefined;
  /** A new empty file where such files lie, already without a name; undefined where there are none. */
  openProbe(): number | undefined;
  /** Look-ups answered by each tier since the start. */
  readonly hits: { memory: number; disk: number };
  /** Writes down which files were used, at most every 10 s. It takes milliseconds: to be called when nothing waits. */
  rest(): void;
  /** Twice is the same as once. */
  close(): void;
}

/** Opens the blocks of a cache folder for one thread. @throws {DatasetError} `bad-input` for another user's folder */
export function openLocalBlocks(options: LocalBlocksOptions): HandedBlocks {
  const { directory, memoryBytes = 96 * MiB, onWarning = () => {} } = options;
  const memory = memoryTier(memoryBytes);
  const disk = new DiskTier(directory, onWarning);
  const tiers = new Tiers(memory, disk);
  return {
    copy: (...span) => tiers.copy(...span),
    get: (hash) => tiers.get(hash),
    add(hash, bytes) {
      if (bytes.buffer instanceof SharedArrayBuffer) weigh(bytes.buffer);
      memory.set(hash, bytes);
    },
    openProbe: () => disk.openProbe(),
    openWhole: (whole) => disk.openWhole(whole),
    hits: tiers.hits,
    rest: () => disk.rest(),
    close: () => disk.close(),
  };
}
