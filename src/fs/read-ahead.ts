/**
 * Guesses which chunks will be read next: the following ones of a file read in order, the following files of a tree
 * walked in order, the files around where many are read in no order. A guess that holds doubles its window; a lone
 * random read guesses nothing. It fetches nothing.
 */
import { type Block, type LocalBlocks, Missing, blockOfChunk } from "../cache/block.js";
import { linkBlockAt } from "../cache/link-blocks.js";
import { EntryType, type LinkEntry } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { KiB, MiB } from "../units.js";
import { type Content, blocksOf } from "./content.js";
import { ReadDensity, type Region } from "./read-density.js";

/** A read as it was asked: bytes `[offset, end)` of a file. */
export interface FileRead {
  ordinal: number;
  content: Content;
  offset: number;
  end: number;
}

/** Reads that go on where the last one ended. Positions are offsets within a file, or ordinals of files in a walk. */
interface Run {
  /** Where the last read began, and where the next is expected. */
  last: number;
  next: number;
  /** What lies before this has been asked for; it was moved on by `stride` the last time. */
  askedTo: number;
  stride: number;
  windowBytes: number;
}

/** How windows of a kind of run grow, and how far from where it is expected a read may be to go on with the run. */
interface Growth {
  firstWindowBytes: number;
  lastWindowBytes: number;
  slack: number;
}

/**
 * A window starts with what one chunk of a large file measures at most. Of the last one half is under way at least: four
 * requests of 4 MiB, which is what it takes to have a server 15 ms away always busy; 48 MiB were no faster.
 * The kernel keeps several requests under way, so they arrive slightly out of order.
 */
const FILE_GROWTH: Growth = { firstWindowBytes: 2 * MiB, lastWindowBytes: 32 * MiB, slack: 2 * MiB };
/** Several readers may share a walk, so that its files are read slightly out of order. */
const SLACK_FILES = 8;
const WALK_GROWTH: Growth = { firstWindowBytes: 256 * KiB, lastWindowBytes: 8 * MiB, slack: SLACK_FILES };
/** Where a walk may just begin: few, or files read by chance would often seem to follow each other. */
const FIRST_SLACK_FILES = 2;
/** Runs followed at once: with more readers than this, some guess nothing. */
const MOST_RUNS = 64;
/** Files up to this size are fetched along with their neighbours in the tree. */
const SMALL_FILE_BYTES = 1 * MiB;
/** Bounds the work of one guess where files are tiny. */
const MOST_FILES_AHEAD = 512;
/** What is read densely is fetched in regions of so much at most. */
const MOST_REGION_BYTES = 64 * MiB;

const NOTHING = new Uint8Array(0);

export class ReadAhead {
  /** By the ordinal of the file, the least recent first. */
  readonly #files = new Map<number, Run>();
  /** One for each reader that walks the tree, the least recent first. */
  #walks: Run[] = [];
  readonly #density: ReadDensity;

  constructor(
    private readonly tree: Tree,
    private readonly blocks: LocalBlocks,
  ) {
    this.#density = new ReadDensity(tree.entryCount);
  }

  /** The blocks worth fetching once `read` was asked, without those that are here. The same read again adds none. */
  after(read: FileRead): Block[] {
    const ahead =
      read.content.sizeBytes <= SMALL_FILE_BYTES
        ? this.#otherFiles(read)
        : nextChunks(this.#fileRun(read), read);
    return ahead.filter((block) => !this.blocks.copy(block.hash, 0, 0, NOTHING, 0));
  }

  #fileRun({ ordinal, offset, end }: FileRead): Run {
    const known = this.#files.get(ordinal);
    this.#files.delete(ordinal);
    for (const oldest of this.#files.keys()) if (this.#files.size >= MOST_RUNS) this.#files.delete(oldest);
    const run = known ?? newRun(offset, end);
    this.#files.set(ordinal, run);
    advance(run, offset, end, FILE_GROWTH);
    return run;
  }

  /** Files to be read after one that was read to its end: those that follow it in a walk, else those around it. */
  #otherFiles({ ordinal, content, end }: FileRead): Block[] {
    if (end < content.sizeBytes) return [];
    const walk = this.#walkAt(ordinal);
    advance(walk, ordinal, ordinal + 1, WALK_GROWTH);
    const dense = this.#density.note(ordinal);
    if (walk.windowBytes > 0) return this.#nextFiles(walk);
    return dense ? this.#othersOf(dense, content) : [];
  }

  /** The walk goes on across the end of a folder, as readers do. */
  #nextFiles(walk: Run): Block[] {
    if (isFarAhead(walk)) return [];
    const from = Math.max(walk.askedTo, walk.next);
    const { blocks, to } = this.#smallFiles(from, walk.windowBytes);
    asked(walk, from, to);
    return blocks;
  }

  /** The small files of a region, but for what one of them holds, which is asked for already. */
  #othersOf({ start, end }: Region, content: Content): Block[] {
    const { blocks, to } = this.#smallFiles(start, MOST_REGION_BYTES, end);
    const asked = new Set(blocksOf(content).map(({ hash }) => hash));
    return to < end ? [] : blocks.filter(({ hash }) => !asked.has(hash));
  }

  #walkAt(ordinal: number): Run {
    const known = this.#walks.find((walk) => isNext(walk, ordinal));
    const walk = known ?? newRun(ordinal, ordinal + 1);
    this.#walks = [...this.#walks.filter((other) => other !== walk).slice(1 - MOST_RUNS), walk];
    return walk;
  }

  /** Blocks of the small files from an ordinal on, up to so many bytes, and the ordinal at which they end. */
  #smallFiles(
    from: number,
    windowBytes: number,
    end = from + MOST_FILES_AHEAD,
  ): { blocks: Block[]; to: number } {
    const blocks: Block[] = [];
    const last = Math.min(end, this.tree.entryCount);
    let room = windowBytes;
    let to = from;
    for (; to < last && room > 0; to++) {
      const file = this.#blocksOfSmallFile(to);
      blocks.push(...file);
      for (const block of file) room -= block.sizeBytes;
    }
    return { blocks, to };
  }

  /** Where the range of the entry is not here, that range is what is worth fetching. */
  #blocksOfSmallFile(ordinal: number): readonly Block[] {
    try {
      const { range, index } = this.tree.place(ordinal);
      const type = range.typeAt(index);
      const sizeBytes = range.sizeAt(index);
      if (sizeBytes === 0 || sizeBytes > SMALL_FILE_BYTES) return [];
      if (type === EntryType.link) return [linkBlockAt(range.entryAt(index) as LinkEntry, 0)];
      return type === EntryType.file ? range.chunksAt(index).map(blockOfChunk) : [];
    } catch (missing) {
      if (missing instanceof Missing) return missing.blocks;
      throw missing;
    }
  }
}

function nextChunks(run: Run, { content, end }: FileRead): Block[] {
  const from = Math.max(run.askedTo, end);
  const to = Math.min(run.next + run.windowBytes, content.sizeBytes);
  if (from >= to || isFarAhead(run)) return [];
  asked(run, from, to);
  return blocksOf(content, content.indexAt(from), content.indexAt(to - 1) + 1);
}

function newRun(last: number, next: number): Run {
  return { last, next, askedTo: next, stride: 0, windowBytes: 0 };
}

/** Whether a file may be the next of a walk; where it was read last, it may be the same read again. */
function isNext({ last, next, windowBytes }: Run, ordinal: number): boolean {
  if (windowBytes > 0) return Math.abs(ordinal - next) <= SLACK_FILES;
  return ordinal === last || (ordinal >= next && ordinal <= next + FIRST_SLACK_FILES);
}

/** Moves a run to the read `[start, end)`: a wider window where it was expected, none after a jump. */
function advance(run: Run, start: number, end: number, growth: Growth): void {
  if (start === run.last) return; // The same read again, now that what it missed is here.
  const expected = Math.abs(start - run.next) <= growth.slack;
  run.windowBytes = expected
    ? Math.min(Math.max(run.windowBytes * 2, growth.firstWindowBytes), growth.lastWindowBytes)
    : 0;
  if (!expected) run.askedTo = end;
  run.next = expected ? Math.max(run.next, end) : end;
  run.last = start;
}

/** Whether at least half of what was asked for last is still to be read: then there is no hurry to ask for more. */
function isFarAhead(run: Run): boolean {
  return run.askedTo - run.next > run.stride / 2;
}

function asked(run: Run, from: number, to: number): void {
  run.stride = to - from;
  run.askedTo = to;
}
