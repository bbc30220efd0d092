/**
 * Blocks on disk, as long as disk and index work: reads them, checks what may not be trusted, adds fills, evicts.
 * It throws what the system and SQLite throw; `disk.ts` turns that into a miss and a warning.
 */
import { LRUCache } from "lru-cache";
import { rmSync, statSync } from "node:fs";

import type { Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { type Fill, placesIn, removeBlockFile, sweepOrphans, writeBlockFile } from "./block-file.js";
import { checkCopy, copyFrom } from "./copy.js";
import { type CacheFolder, blockPath, currentBoot } from "./folder.js";
import type { ForgottenFile } from "./evict.js";
import { dropDeadPins } from "./holders.js";
import type { CacheIndex, FileFacts, Place } from "./index-db.js";
import { moveAside } from "./open-index.js";
import { type OpenFile, OpenFiles, readFully } from "./open-files.js";
import { WholeStore } from "./whole-store.js";

interface Found {
  hash: Sha256;
  place: Place;
  file: OpenFile;
}

/** Places remembered as checked, 100 B each; one that falls out is hashed again at its next use. */
const CHECKED_PLACES = 65_536;
/** Blocks whose place is remembered, 300 B each: asking the index takes longer than reading a small block. */
const KNOWN_PLACES = 32_768;
const SWEEP_EVERY_MS = 3_600_000;

export class BlockStore {
  readonly #wholes: WholeStore;
  readonly #boot = currentBoot();
  readonly #files: OpenFiles;
  readonly #indexInode: string;
  readonly #checked = new LRUCache<string, true>({ max: CHECKED_PLACES });
  /** A file's id is never used twice, so that a place may be out of date but never another block's. */
  readonly #places = new LRUCache<Sha256, Place>({ max: KNOWN_PLACES });
  #used = new Set<number>();
  #adding = 0;
  #isClosed = false;

  /** @param onDamage Told the name of each file that was dropped since it was not what it should be. */
  constructor(
    private readonly folder: CacheFolder,
    private readonly index: CacheIndex,
    private readonly onDamage: (file: string) => void = () => {},
  ) {
    this.#files = new OpenFiles(folder, this.#boot);
    this.#wholes = new WholeStore(folder, index, this.#boot, (id) => this.#used.add(id), onDamage);
    this.#indexInode = inodeOf(folder.indexPath);
  }

  has(hash: Sha256): boolean {
    return this.index.placeOf(hash) !== undefined;
  }

  /** The whole block; a file that proves damaged is dropped with all its blocks. */
  get(hash: Sha256): Uint8Array | undefined {
    const found = this.#find(hash);
    if (!found) return undefined;
    const { place, file } = found;
    const bytes = new Uint8Array(Math.min(place.sizeBytes, file.sizeBytes));
    if (readFully(file.fd, bytes, place.offset) && this.#isRight(found, bytes)) return bytes;
    this.#forget(place.file);
    return undefined;
  }

  /** Reads only what is asked for, unless the whole block has yet to be checked. */
  copy(hash: Sha256, start: number, end: number, target: Uint8Array, at: number): boolean {
    const found = this.#find(hash);
    if (!found) return false;
    checkCopy(found.place.sizeBytes, start, end, target, at);
    if (!this.#isTrusted(found)) return copyFrom(this.get(hash), start, end, target, at);
    if (readFully(found.file.fd, target.subarray(at, at + end - start), found.place.offset + start))
      return true;
    this.#forget(found.place.file);
    return false;
  }

  /** Keeps blocks that are right, in a file of their own, and evicts what no longer fits. */
  add(fill: Fill, maxBytes: number): Promise<void> {
    return this.#whileOpen(() => this.#add(fill, maxBytes));
  }

  /** None in a folder where others may write: the kernel would read there what nobody checks. */
  get wholes(): WholeStore | undefined {
    return this.folder.isPrivate ? this.#wholes : undefined;
  }

  /** Runs what writes to wholes; undefined where there are none. */
  async withWholes<T>(work: (wholes: WholeStore) => Promise<T>): Promise<T | undefined> {
    const { wholes } = this;
    return wholes && this.#whileOpen(() => work(wholes));
  }

  /** Bookkeeping that no reader should wait for. */
  rest(): void {
    const uses = this.#takeUses();
    if (uses.size > 0) this.index.noteUses(uses);
    if (this.index.pins.hasHeld()) dropDeadPins(this.folder, this.index.pins);
    this.#files.closeDeleted();
  }

  /** Whether another index, or none, now lies where this one was opened. */
  isReplaced(): boolean {
    return inodeOf(this.folder.indexPath) !== this.#indexInode;
  }

  totals(): { files: number; blocks: number; bytes: number } {
    return this.index.totals();
  }

  /** To be called for an index that proved damaged, after `close`. */
  moveIndexAside(): void {
    moveAside(this.folder.indexPath);
  }

  /** Lets go of files and index, once what is being added is. Twice is the same as once. */
  close(): void {
    this.#isClosed = true;
    if (this.#adding > 0) return;
    this.#files.closeAll();
    this.#wholes.close();
    this.index.close();
  }

  /** What is being written keeps its files and the index open until it is done. */
  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    this.#adding++;
    try {
      return await work();
    } finally {
      this.#adding--;
      if (this.#isClosed) this.close();
    }
  }

  async #add(fill: Fill, maxBytes: number): Promise<void> {
    const file = { ...(await writeBlockFile(this.folder, fill)), boot: this.#boot };
    const forgotten = await this.#addRows(file, fill, maxBytes);
    for (const old of forgotten) await this.#remove(old);
    if (this.index.claimSweep(Date.now(), SWEEP_EVERY_MS)) await this.#sweep();
  }

  async #addRows(file: FileFacts, fill: Fill, maxBytes: number): Promise<ForgottenFile[]> {
    try {
      return this.index.add(file, placesIn(fill), this.#takeUses(), maxBytes);
    } catch (error) {
      await removeBlockFile(this.folder, file.name);
      throw error;
    }
  }

  #find(hash: Sha256): Found | undefined {
    const known = this.#places.get(hash);
    return (known && this.#foundAt(hash, known)) ?? this.#lookUp(hash);
  }

  #lookUp(hash: Sha256): Found | undefined {
    const place = this.index.placeOf(hash);
    if (!place) return undefined;
    this.#places.set(hash, place);
    return this.#foundAt(hash, place);
  }

  #foundAt(hash: Sha256, place: Place): Found | undefined {
    const file = this.#opened(place) ?? this.#open(place.file);
    if (!file) return undefined;
    this.#used.add(place.file);
    return { hash, place, file };
  }

  /** A file that was not trusted is looked at again: one that is being filled is trusted once its row has caught up. */
  #opened(place: Place): OpenFile | undefined {
    const file = this.#files.get(place.file);
    const isFinal = !this.folder.isPrivate || (file && this.#isTrusted({ place, file }));
    return isFinal ? file : undefined;
  }

  #open(id: number): OpenFile | undefined {
    const facts = this.index.fileOf(id);
    if (!facts) return undefined; // Evicted since its block was looked up.
    const file = this.#files.open(id, facts);
    if (!file) this.#forget(id);
    return file;
  }

  #isTrusted({ place, file }: Omit<Found, "hash">): boolean {
    return file.isTrusted || this.#checked.has(nameOf(place));
  }

  #isRight(found: Found, bytes: Uint8Array): boolean {
    if (this.#isTrusted(found)) return true;
    if (sha256(bytes) !== (found.place.content?.toString("hex") ?? found.hash)) return false;
    this.#checked.set(nameOf(found.place), true);
    return true;
  }

  /** Mends a row without a sound file. */
  #forget(id: number): void {
    this.#files.close(id);
    const name = this.index.drop(id);
    if (name === undefined) return;
    rmSync(blockPath(this.folder, name), { force: true });
    this.onDamage(name);
  }

  async #remove({ id, name }: ForgottenFile): Promise<void> {
    this.#files.close(id);
    await removeBlockFile(this.folder, name);
  }

  async #sweep(): Promise<void> {
    await sweepOrphans(this.folder, this.index.bornMs(), () => this.index.names());
  }

  #takeUses(): Set<number> {
    const uses = this.#used;
    this.#used = new Set();
    return uses;
  }
}

function nameOf({ file, offset }: Place): string {
  return `${file}:${offset}`;
}

/** `st_dev` and `st_ino`: what tells one index from the next at the same path. */
function inodeOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}` : "none";
}
