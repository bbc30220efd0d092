/**
 * The large files of a version that is mounted to be read, as far as the kernel may read them without us: finds their
 * files in the cache, and has them completed once most of a file was read.
 */
import { closeSync } from "node:fs";

import type { Block } from "../cache/block.js";
import type { HandedBlocks } from "../cache/local-blocks.js";
import { isBackable } from "./content-memory.js";
import type { Backings, Ino } from "./filesystem.js";
import { LargeFiles } from "./large-files.js";
import type { VersionFiles } from "./version-files.js";

export interface WholeSource extends Pick<HandedBlocks, "openWhole" | "openProbe"> {
  /** Told of the blocks of a large file, in order, that should become one file on disk. */
  settle(blocks: readonly Block[]): void;
  prefetch(blocks: readonly Block[]): void;
}

/** A file of which so much was read is worth completing; the cache fetches at most the rest. */
const READ_SHARE = 3 / 4;

export class WholeFiles implements Backings {
  readonly #large: LargeFiles;
  /** Bytes read of large files that were opened in the ordinary way, since they were last to be completed. */
  readonly #readBytes = new Map<Ino, number>();

  constructor(
    private readonly files: VersionFiles,
    private readonly source: WholeSource,
  ) {
    this.#large = new LargeFiles(files.tree, (blocks) => source.prefetch(blocks));
  }

  mayExist(ino: Ino): boolean {
    return this.#large.mayExist(ino - 1);
  }

  isBackable(ino: Ino): boolean {
    const { tree } = this.files;
    if (ino > tree.entryCount) return false; // What explains the version is no part of it.
    const { range, index } = tree.place(ino - 1);
    return isBackable(range, index);
  }

  open(ino: Ino): number | undefined {
    const opened = this.source.openWhole(this.files.wholeOf(ino - 1));
    if (opened?.isTrusted) return opened.fd;
    if (opened) closeSync(opened.fd);
    if (opened) this.source.settle(this.files.blocksOf(ino - 1));
    this.#readBytes.set(ino, this.#readBytes.get(ino) ?? 0);
    return undefined;
  }

  openProbe(): number | undefined {
    return this.source.openProbe();
  }

  closed(ino: Ino): void {
    const wholeBytes = this.files.wholeOf(ino - 1).sizeBytes;
    if ((this.#readBytes.get(ino) ?? 0) < wholeBytes * READ_SHARE) return;
    this.#readBytes.delete(ino);
    this.source.settle(this.files.blocksOf(ino - 1));
  }

  /** Counts what was read of a file that is open in the ordinary way. */
  noteRead(ino: Ino, bytes: number): void {
    const readBytes = this.#readBytes.get(ino);
    if (readBytes !== undefined) this.#readBytes.set(ino, readBytes + bytes);
  }
}
