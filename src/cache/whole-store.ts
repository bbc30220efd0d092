/**
 * Wholes on disk: fills their files, tells which are complete and as they were left, hashes again those that may not
 * be trusted. It throws what the system and SQLite throw, as `block-store.ts` does, of which it is a part.
 */
import { LRUCache } from "lru-cache";
import { randomUUID } from "node:crypto";
import { closeSync, fstatSync, openSync, read, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { type CacheFolder, blockPath } from "./folder.js";
import type { CacheIndex } from "./index-db.js";
import { openIfThere } from "./open-files.js";
import type { PartBytes, Whole } from "./whole.js";
import { WholeFile } from "./whole-file.js";
import type { LaidPart } from "./whole-index.js";

/** The file of a complete whole. Who asked closes the descriptor. */
export interface OpenWhole {
  fd: number;
  /** Whether it is as it was left when its bytes were checked; else it is to be hashed before it is passed on. */
  isTrusted: boolean;
}

/** A file of ours that is being filled, and its row. */
interface Filling {
  id: number;
  file: WholeFile;
}

const NO_FILE = { size: -1, ctimeMs: -1 };
const readAt = promisify(read);
/** Files being filled at once, each with a descriptor. One that is closed stays a source of blocks, and is not filled further. */
const MOST_FILLING = 64;

export class WholeStore {
  readonly #filling = new LRUCache<Sha256, Filling>({
    max: MOST_FILLING,
    dispose: ({ file }) => file.close(),
  });

  constructor(
    private readonly folder: CacheFolder,
    private readonly index: CacheIndex,
    private readonly boot: string,
    /** Told which file was used. */
    private readonly noteUse: (id: number) => void,
    /** Told the name of each file that was dropped since it was not what it should be. */
    private readonly onDamage: (file: string) => void,
  ) {}

  /** The file that holds all of a whole, if there is one. */
  open({ id, sizeBytes }: Whole): OpenWhole | undefined {
    const found = this.index.wholes.completeFileOf(id);
    const fd = found && openIfThere(this.#pathOf(found.name));
    if (!found) return undefined;
    this.noteUse(found.id);
    const { size, ctimeMs } = fd === undefined ? NO_FILE : fstatSync(fd);
    if (fd !== undefined && size === sizeBytes)
      return { fd, isTrusted: ctimeMs === found.ctimeMs && this.boot === found.boot };
    if (fd !== undefined) closeSync(fd);
    this.#forget(found.id);
    return undefined;
  }

  /** An empty file without a name, to try things with. Who asks closes the descriptor. */
  openProbe(): number {
    const path = join(this.folder.blocksDir, randomUUID());
    const fd = openSync(path, "wx+", this.folder.fileMode);
    rmSync(path);
    return fd;
  }

  /** The offsets at which this process has laid parts of a whole that is not complete. */
  laidOf({ id }: Whole): ReadonlySet<number> {
    return this.#filling.get(id)?.file.laid ?? new Set();
  }

  /** Lays parts of one whole, and evicts what no longer fits. Not to be called again before it has resolved. */
  async lay(whole: Whole, parts: readonly PartBytes[], maxBytes: number): Promise<void> {
    const filling = this.#filling.get(whole.id) ?? this.#begin(whole);
    if (!filling) return;
    const { id, file } = filling;
    if (file.isTouched()) {
      this.#filling.delete(whole.id);
      this.#forget(id);
      return;
    }
    const added = parts.filter(({ at }) => !file.laid.has(at));
    await file.write(added);
    const isComplete = file.isCompleteWith(added);
    const forgotten = this.index.wholes.lay(
      id,
      added.map(laidPart),
      { ...file.facts(), isComplete },
      maxBytes,
    );
    file.noteLaid(added);
    if (!forgotten || isComplete) this.#filling.delete(whole.id);
    for (const { name } of forgotten ?? [file]) await rm(this.#pathOf(name), { force: true });
  }

  /**
   * Hashes the file of a complete whole and trusts it from then on; drops it when it is damaged or changes meanwhile.
   * Gives whether it is right.
   */
  async verify(whole: Whole): Promise<boolean> {
    const opened = this.open(whole);
    if (!opened) return false;
    try {
      return opened.isTrusted || (await this.#verify(whole, opened.fd));
    } finally {
      closeSync(opened.fd);
    }
  }

  close(): void {
    this.#filling.clear();
  }

  /** Nothing where a complete file is here already. */
  #begin(whole: Whole): Filling | undefined {
    if (this.index.wholes.completeFileOf(whole.id)) return undefined;
    const file = new WholeFile(this.folder, whole);
    try {
      const id = this.index.wholes.begin(whole.id, { ...file.facts(), boot: this.boot });
      this.#filling.set(whole.id, { id, file });
      return { id, file };
    } catch (error) {
      file.close();
      this.#unlink(file.name);
      throw error;
    }
  }

  async #verify(whole: Whole, fd: number): Promise<boolean> {
    const { id } = this.index.wholes.completeFileOf(whole.id) ?? {};
    if (id === undefined) return false;
    const { ctimeMs } = fstatSync(fd);
    const isRight = await hasParts(fd, this.index.wholes.parts(id));
    if (isRight && fstatSync(fd).ctimeMs === ctimeMs)
      this.index.wholes.trust(id, { ctimeMs, boot: this.boot });
    else this.#forget(id);
    return isRight;
  }

  /** Mends a row without a sound file. */
  #forget(id: number): void {
    const name = this.index.drop(id);
    if (name === undefined) return;
    this.#unlink(name);
    this.onDamage(name);
  }

  #unlink(name: string): void {
    rmSync(this.#pathOf(name), { force: true });
  }

  #pathOf(name: string): string {
    return blockPath(this.folder, name);
  }
}

async function hasParts(fd: number, parts: readonly LaidPart[]): Promise<boolean> {
  for (const { hash, offset, sizeBytes } of parts) {
    const bytes = new Uint8Array(sizeBytes);
    const { bytesRead } = await readAt(fd, bytes, 0, sizeBytes, offset);
    if (bytesRead !== sizeBytes || sha256(bytes) !== hash) return false;
  }
  return true;
}

function laidPart({ hash, at, bytes }: PartBytes): LaidPart {
  return { hash, offset: at, sizeBytes: bytes.byteLength };
}
