/**
 * The changes of an overlay as they are at one moment, for a commit, `status`, `diff` and `recover`: read from the
 * journal in one transaction, or from the copy that `beginSnapshot` made; beside the worker that serves the mount, or
 * without any.
 */
import type { Database } from "better-sqlite3";
import type { Block } from "../../cache/block.js";
import type { Holes } from "../../content/source.js";
import { DatasetError } from "../../errors.js";
import type { TreePath } from "../../paths.js";
import type { Ino } from "../filesystem.js";
import type { BaseNames } from "./base.js";
import type { OverlayChange } from "./change.js";
import { clonePath, snapshotFolder } from "./clones.js";
import { DataFiles } from "./data-files.js";
import { dataRuns } from "./file-spans.js";
import { type Inode, InodeFlag, isFile } from "./inode.js";
import { Journal } from "./journal.js";
import { ChangeIterator } from "./list-changes.js";
import { Locator } from "./locate.js";
import { openToRead } from "./schema.js";
import { settled } from "./settle.js";
import { type OverlaidContent, readerOf } from "./snapshot-content.js";
import { type SpanOwner, SpanTable } from "./span-table.js";
import { type Span, without } from "./spans.js";

export type { ChangedContent, ChangedEntry, OverlayChange } from "./change.js";
export type { OverlaidContent } from "./snapshot-content.js";

/** The version below the overlay. */
export interface SnapshotBase {
  tree: BaseNames;
  cache: {
    /** Runs code that may throw `Missing`, from its start, until nothing is missing. */
    complete<T>(work: () => T): Promise<T>;
    read(block: Block): Promise<Uint8Array>;
  };
}

export interface SnapshotOptions {
  /**
   * The id given to the live overlay's `beginSnapshot`: the state of that moment. Without it the state of the call,
   * in which files that are written meanwhile may be torn.
   */
  snapshot?: string | undefined;
}

export interface OverlayTotals {
  /** Files that have local bytes or were made here. */
  files: number;
  /** Local bytes that show. */
  bytes: number;
}

/** More holes than these are not told: an entry should stay small. */
const MAX_HOLES = 4096;

/**
 * Opens the state of an overlay. What it waits for is ranges of the base.
 *
 * @throws {DatasetError} `format-newer`, `format-damaged`; `not-found` when the folder holds no overlay
 */
export async function openSnapshot(
  directory: string,
  base: SnapshotBase,
  options: SnapshotOptions = {},
): Promise<OverlaySnapshot> {
  const snapshot = new OverlaySnapshot(directory, base, options.snapshot);
  try {
    await snapshot.locate();
    return snapshot;
  } catch (error) {
    snapshot.close();
    throw error;
  }
}

/** Facts about an overlay, without its base. @throws {DatasetError} as `openSnapshot` */
export function readFact(directory: string, key: string): string | undefined {
  const db = openToRead(directory);
  try {
    return new Journal(db).fact(key);
  } finally {
    db.close();
  }
}

export class OverlaySnapshot {
  readonly #journal: Journal;
  readonly #data: DataFiles;
  readonly #locator: Locator;
  readonly #clones: LiveClones | undefined;
  #failed: TreePath[] = [];
  #open: TreePath[] = [];
  #closed = false;

  /** @internal Use `openSnapshot`. */
  constructor(
    private readonly directory: string,
    private readonly base: SnapshotBase,
    snapshot: string | undefined,
  ) {
    const db = openToRead(snapshot === undefined ? directory : snapshotFolder(directory, snapshot));
    db.exec("begin"); // the first query of the journal below sets the moment
    this.#journal = new Journal(db);
    this.#data = new DataFiles(directory);
    this.#settle();
    this.#locator = new Locator(base.tree, this.#journal);
    this.#clones = snapshot === undefined ? undefined : new LiveClones(directory, snapshot);
  }

  /** @internal Finds the paths that are told without waiting. */
  async locate(): Promise<void> {
    const { inodes } = this.#journal;
    const pathsOf = (inos: readonly Ino[]): TreePath[] => inos.flatMap((ino) => this.#locator.all(ino));
    this.#failed = await this.base.cache.complete(() => pathsOf(inodes.withFlag(InodeFlag.failed)));
    this.#open = await this.base.cache.complete(() => pathsOf(inodes.withFlag(InodeFlag.unflushed)));
  }

  /** True when nothing was ever changed; a change that was undone may leave it false. */
  get isEmpty(): boolean {
    return this.#journal.inodes.isEmpty && this.#journal.names.isEmpty;
  }

  /**
   * Every path whose entry differs from the base, in the order told at `OverlayChange`. Asynchronously, what is missing
   * of the base is fetched; synchronously, `Missing` is thrown and the iteration ends.
   */
  changes(): Iterable<OverlayChange> & AsyncIterable<OverlayChange> {
    const source = { names: this.base.tree, journal: this.#journal, locator: this.#locator };
    const { cache } = this.base;
    return {
      *[Symbol.iterator]() {
        const iterator = new ChangeIterator(source);
        for (let change = iterator.next(); change; change = iterator.next()) yield change;
      },
      async *[Symbol.asyncIterator]() {
        const iterator = new ChangeIterator(source);
        const next = () => cache.complete(() => iterator.next());
        for (let change = await next(); change; change = await next()) yield change;
      },
    };
  }

  /** Opens the bytes of a changed file, to be closed by the caller. */
  async openContent(ino: Ino): Promise<OverlaidContent> {
    const { tree, cache } = this.base;
    const inode = this.#journal.inodes.get(ino);
    if (!inode || !isFile(inode)) {
      const message = `Cannot read the changed file of inode ${ino}: the overlay "${this.directory}" has none`;
      throw new DatasetError("not-found", { what: String(ino) }, message);
    }
    const { base } = inode;
    return readerOf({
      sizeBytes: inode.sizeBytes,
      holes: await cache.complete(() => this.#holesOf(inode)),
      local: base === undefined ? [{ start: 0, end: inode.sizeBytes }] : this.#journal.extents.all([ino]),
      baseSizeBytes: inode.baseSizeBytes,
      base: base === undefined ? undefined : await cache.complete(() => tree.entry(base)),
      readBlock: (block) => cache.read(block),
      dataPath: this.#data.path(ino),
      clone: this.#clones?.of(ino),
    });
  }

  /** Files a write to which failed, so that they are not what a program wrote. */
  failedWrites(): TreePath[] {
    return this.#failed;
  }

  /** Files that were written and not closed: they are as the last write left them. */
  openFiles(): TreePath[] {
    return this.#open;
  }

  /** All paths that an entry of the base, not a directory, has now: for hard links of which a moved folder holds some. */
  pathsOf(ordinal: number): Promise<TreePath[]> {
    return this.base.cache.complete(() => this.#locator.all(ordinal + 1));
  }

  totals(): OverlayTotals {
    return this.#journal.inodes.totals();
  }

  fact(key: string): string | undefined {
    return this.#journal.fact(key);
  }

  /** Twice is the same as once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clones?.close();
    this.#data.close();
    this.#journal.close();
  }

  /** After a crash nobody has written down how far the files being written had come. */
  #settle(): void {
    const { inodes } = this.#journal;
    for (const ino of inodes.withFlag(InodeFlag.lagging)) {
      const inode = inodes.get(ino);
      if (inode) inodes.advance(settled(inode, this.#data.stat(ino)));
    }
  }

  /** A live mount may punch holes, but not without making a clone first. */
  #holesOf(inode: Inode): Holes | undefined {
    const isSparse = (inode.flags & InodeFlag.sparse) !== 0 || inode.base !== undefined;
    if (!isSparse) return undefined;
    const localRuns = (span: Span): Iterable<Span> => this.#data.dataRuns(inode.ino, span);
    const runs = [...dataRuns(this.base.tree, this.#journal, inode, 0, localRuns)];
    const holes = without(runs, { start: 0, end: inode.sizeBytes });
    const isChanging =
      (this.#clones?.of(inode.ino).spans({ start: 0, end: inode.sizeBytes }).length ?? 0) > 0;
    if (isChanging || holes.length === 0 || holes.length > MAX_HOLES) return undefined;
    return holes.map(({ start, end }) => [start, end]);
  }
}

/** What clones hold by now: read outside of the snapshot's transaction, which sees none that came later. */
class LiveClones {
  readonly #db: Database;
  readonly #spans: SpanTable<SpanOwner>;

  constructor(
    private readonly directory: string,
    private readonly snapshot: string,
  ) {
    this.#db = openToRead(directory);
    this.#spans = new SpanTable(this.#db, "clones", ["snapshot", "ino"]);
  }

  of(ino: Ino): { path: string; spans: (span: Span) => Span[] } {
    const spans = (span: Span): Span[] => this.#spans.within([this.snapshot, ino], span);
    return { path: clonePath(this.directory, this.snapshot, ino), spans };
  }

  close(): void {
    this.#db.close();
  }
}
