/**
 * The cache: every block by its hash, from memory, disk or its remote, checked once and shared by all who ask. Here the
 * parts are put together; tiers are `local.ts`, fetching is `flights.ts`, the way to disk is `write-behind.ts`.
 */
import type { RemoteId, Sha256 } from "../content/chunk.js";
import { cancellable } from "../remote/cancel.js";
import { openLinks } from "../remote/links/links.js";
import type { LinkStore } from "../remote/links/source.js";
import type { Remote } from "../remote/remote.js";
import { GiB, MiB } from "../units.js";
import type { Block, LocalBlocks } from "./block.js";
import { completeWith } from "./complete.js";
import { DiskTier, type OnCacheFault, type Warn } from "./disk.js";
import { Flights } from "./flights.js";
import { Holds } from "./hold.js";
import { Tiers } from "./local.js";
import { type MemoryTier, memoryTier } from "./memory.js";
import { PartsBehind } from "./parts-behind.js";
import { Settler } from "./settle.js";
import type { Whole } from "./whole.js";
import type { OpenWhole } from "./whole-store.js";
import { WriteBehind } from "./write-behind.js";

export interface CacheOptions {
  /** The folder on disk, made where there is none; several processes may share it. It must not be on a network. */
  directory: string;
  /** Most the folder may take, in bytes. Default 10 GiB. */
  maxBytes?: number;
  /** Most that blocks may take of memory. Default 128 MiB; up to 256 MiB more may be on their way from remotes and to disk. */
  memoryBytes?: number | undefined;
  /** The remote behind an identity; asked once a request, so it should remember. */
  remoteOf: (id: RemoteId) => Remote | Promise<Remote>;
  /** Reads external files; the caller closes it. Default: those of `openLinks`. */
  links?: Pick<LinkStore, "read"> | undefined;
  /** Longest one request to a remote may take. Default 60,000. */
  deadlineMs?: number;
  /** Ask a remote that is out of reach again until the deadline. Default false: whoever asked hears of it. */
  outlastsOutages?: boolean | undefined;
  /** Told, once for each kind, why the disk is not used. */
  onWarning?: Warn;
  /** Told of all that was mended. */
  onFault?: OnCacheFault | undefined;
}

export interface ReadOptions {
  /** Ends this reader's wait with `cancelled`; what is being fetched arrives all the same, for others and for later. */
  signal?: AbortSignal | undefined;
}

export interface ReadManyOptions extends ReadOptions {
  /** Blocks to be fetched as `prefetch` does; those beside the ones that are read share their requests. */
  along?: readonly Block[] | undefined;
  /** False: what has to be fetched is kept by the caller, not here. Default true. */
  keep?: boolean | undefined;
}

export interface CacheStats {
  memory: { entries: number; bytes: number; maxBytes: number };
  disk: { files: number; blocks: number; bytes: number; maxBytes: number };
  /** Look-ups answered by each tier, and those that needed a remote. */
  hits: { memory: number; disk: number };
  misses: number;
  fetched: { bytes: number; requests: number };
}

export interface Cache {
  /** What is on this machine, for code that must not wait. */
  readonly local: LocalBlocks;

  /**
   * All bytes of a block, not to be changed: from memory, disk, else fetched, checked and kept.
   * @throws {DatasetError} `content-damaged` when the remote twice gave other bytes; `deadline`; `cancelled`; what the remote throws
   */
  read(block: Block, options?: ReadOptions): Promise<Uint8Array>;

  /** As `read`, in the order asked. Blocks that lie side by side in an object share a request. */
  readMany(blocks: readonly Block[], options?: ReadManyOptions): Promise<Uint8Array[]>;

  /**
   * Fetches blocks that may be asked for soon, after those somebody waits for. A failure is left to who asks for the block.
   *
   * @param settled Told of each block: its bytes once they are here, undefined when they will not come.
   */
  prefetch(blocks: readonly Block[], settled?: (block: Block, bytes: Uint8Array | undefined) => void): void;

  /** Runs code that may throw `Missing`, from its start, until nothing is missing. It should change nothing before. */
  complete<T>(operation: (local: LocalBlocks) => T, options?: ReadOptions): Promise<T>;

  /**
   * Makes the large file of these blocks, its parts in order, one file on disk out of what is here; the rest is
   * fetched when it is little. Resolves when that is done or given up, and never fails.
   */
  settle(blocks: readonly Block[]): Promise<void>;

  /** Keeps a copy of bytes that are known to be right, as those just uploaded are. Never fails. */
  keep(block: Block, bytes: Uint8Array): void;

  /** Resolves when all that was fetched and kept so far is on disk, as far as the disk took it. */
  flush(): Promise<void>;

  /** The file of a large content that is here completely. Who asks closes the descriptor. */
  openWhole(whole: Whole): OpenWhole | undefined;

  /** Whether a large file would be kept in one piece. */
  keepsWhole(whole: Whole): boolean;

  /** Counts since the start, and what is held; counting the blocks on disk reads the index. */
  stats(): CacheStats;

  /** Ends fetches, writes what is to be kept, lets go of files. Twice is the same as once. */
  close(): Promise<void>;
}

/** Opens the cache of a folder. @throws {DatasetError} `bad-input` when the folder is another user's */
export async function openCache(options: CacheOptions): Promise<Cache> {
  return new BlockCache(options);
}

/** Fills of this size make some 2,500 files of a full cache; in a small cache an eviction should not take half of it. */
const FILL_BYTES = 4 * MiB;
const FILLS_IN_CACHE = 8;
const WHOLES_IN_CACHE = 2;
/** How often the disk tier is asked whether it has bookkeeping to do. */
const REST_EVERY_MS = 10_000;

class BlockCache implements Cache {
  readonly local: Tiers;
  readonly #memory: MemoryTier;
  readonly #disk: DiskTier;
  readonly #writeBehind: WriteBehind;
  readonly #partsBehind: PartsBehind;
  readonly #settler: Settler;
  readonly #flights: Flights;
  /** What is fetched for those who keep it themselves. */
  readonly #passing: Flights;
  readonly #holds = new Holds();
  readonly #maxBytes: number;
  readonly #resting: NodeJS.Timeout;
  #misses = 0;
  #closed: Promise<void> | undefined;

  constructor({ directory, remoteOf, links = openLinks(), onWarning = () => {}, ...options }: CacheOptions) {
    const { maxBytes = 10 * GiB, memoryBytes = 128 * MiB, deadlineMs = 60_000 } = options;
    this.#maxBytes = maxBytes;
    this.#memory = memoryTier(memoryBytes);
    const { onFault = () => {} } = options;
    this.#disk = new DiskTier(directory, onWarning, onFault);
    const fillBytes = Math.min(FILL_BYTES, maxBytes / FILLS_IN_CACHE);
    this.#writeBehind = new WriteBehind((fill) => this.#disk.keep(fill, maxBytes), fillBytes);
    const fetching = {
      remoteOf,
      links,
      deadlineMs,
      outlastsOutages: options.outlastsOutages ?? false,
      onFault,
    };
    this.#flights = new Flights({ ...fetching, landed: (block, bytes) => this.#keep(block, bytes) });
    this.#passing = new Flights({ ...fetching, landed: () => {} });
    this.#partsBehind = new PartsBehind((parts) => this.#disk.keepParts(parts, maxBytes), fillBytes);
    const aside = [this.#holds, this.#writeBehind, this.#partsBehind];
    this.local = new Tiers(
      this.#memory,
      this.#disk,
      aside.map((blocks) => (hash: Sha256) => blocks.get(hash)),
    );
    this.#settler = new Settler(this, this.#disk, maxBytes);
    this.#resting = setInterval(() => this.#disk.rest(), REST_EVERY_MS).unref();
  }

  async read(block: Block, options?: ReadOptions): Promise<Uint8Array> {
    const [bytes] = await this.readMany([block], options);
    return bytes!;
  }

  async readMany(
    blocks: readonly Block[],
    { signal, along = [], keep = true }: ReadManyOptions = {},
  ): Promise<Uint8Array[]> {
    const local = blocks.map((block) => this.local.get(block.hash));
    const missing = blocks.filter((_, at) => !local[at]);
    const others = along.filter((block) => !this.local.has(block.hash));
    if (missing.length === 0) return (void this.#flights.prefetch(others), local as Uint8Array[]);
    this.#misses += missing.length;
    const what = `read of "${missing[0]!.key}"`;
    const fetched = await cancellable(signal, what, () =>
      Promise.all((keep ? this.#flights : this.#passing).fetch(missing, others)),
    );
    const next = fetched.values();
    return local.map((bytes) => bytes ?? next.next().value!);
  }

  prefetch(blocks: readonly Block[], settled?: (block: Block, bytes: Uint8Array | undefined) => void): void {
    const missing = blocks.filter((block) => !this.local.has(block.hash));
    const coming = this.#flights.prefetch(missing);
    if (!settled) return;
    const left = new Set(blocks);
    missing.forEach((block, at) => {
      left.delete(block);
      void coming[at]!.then(
        (bytes) => settled(block, bytes),
        () => settled(block, undefined),
      );
    });
    for (const block of left) settled(block, this.local.get(block.hash));
  }

  complete<T>(operation: (local: LocalBlocks) => T, options?: ReadOptions): Promise<T> {
    return completeWith(this, this.#holds, operation, options);
  }

  async settle(blocks: readonly Block[]): Promise<void> {
    const whole = blocks[0]?.part?.whole;
    if (whole && !this.#closed && this.keepsWhole(whole)) await this.#settler.settle(whole, blocks);
  }

  keep(block: Block, bytes: Uint8Array): void {
    this.#keep(block, new Uint8Array(bytes));
  }

  async flush(): Promise<void> {
    await Promise.all([this.#writeBehind.flush(), this.#partsBehind.flush()]);
  }

  openWhole(whole: Whole): OpenWhole | undefined {
    return this.#disk.openWhole(whole);
  }

  /** A whole leaves the cache whole, so one that fills most of it would push out all else. */
  keepsWhole({ sizeBytes }: Whole): boolean {
    return this.#disk.keepsWholes && sizeBytes <= this.#maxBytes / WHOLES_IN_CACHE;
  }

  stats(): CacheStats {
    return {
      memory: {
        entries: this.#memory.size,
        bytes: this.#memory.calculatedSize,
        maxBytes: this.#memory.maxSize,
      },
      disk: { ...this.#disk.totals(), maxBytes: this.#maxBytes },
      hits: { ...this.local.hits },
      misses: this.#misses,
      fetched: sumOf(this.#flights.fetched, this.#passing.fetched),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #keep({ hash, part }: Block, bytes: Uint8Array): void {
    this.#memory.set(hash, bytes);
    if (part && this.keepsWhole(part.whole)) this.#partsBehind.add({ ...part, hash, bytes });
    else this.#writeBehind.add(hash, bytes);
  }

  async #close(): Promise<void> {
    clearInterval(this.#resting);
    await Promise.all([this.#flights.close(), this.#passing.close()]);
    await this.#settler.close();
    await this.flush();
    this.#disk.close();
  }
}

function sumOf(a: CacheStats["fetched"], b: CacheStats["fetched"]): CacheStats["fetched"] {
  return { bytes: a.bytes + b.bytes, requests: a.requests + b.requests };
}
