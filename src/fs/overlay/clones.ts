/**
 * Keeps what a live snapshot reads while the overlay is changed on: a copy of the journal, and local bytes. Before bytes of a
 * data file change for the first time they go to `clones/<snapshot>/<inode>`: the whole file at once where the file
 * system shares blocks, else the bytes about to change. The journal says which bytes a clone holds; whoever reads
 * takes the others from the data file (`snapshot-content.ts`).
 */
import { constants, copyFileSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../errors.js";
import { KiB } from "../../units.js";
import type { Ino } from "../filesystem.js";
import type { DataFiles } from "./data-files.js";
import type { Journal } from "./journal.js";
import { journalPath } from "./schema.js";
import { type Span, without } from "./spans.js";

/** Files up to here are cloned whole, which costs about what a transaction for a part of them costs. */
const SMALL_BYTES = 256 * KiB;
/** A clone that holds the whole file: bytes past its end read as zeros, as they did. */
const WHOLE: Span = { start: 0, end: Number.MAX_SAFE_INTEGER };

/** What a snapshot has of one inode: all it needs, or parts of the `sizeBytes` bytes there were. */
type Kept = "all" | { sizeBytes: number };

export function clonesFolder(directory: string): string {
  return join(directory, "clones");
}

/** Where a snapshot has its copy of the journal, and its clones. */
export function snapshotFolder(directory: string, snapshot: string): string {
  return join(clonesFolder(directory), snapshot);
}

export function clonePath(directory: string, snapshot: string, ino: Ino): string {
  return join(snapshotFolder(directory, snapshot), String(ino));
}

export class Clones {
  readonly #snapshots = new Map<string, Map<Ino, Kept>>();
  #sharesBlocks = true;

  constructor(
    private readonly directory: string,
    private readonly journal: Journal,
    private readonly data: DataFiles,
  ) {}

  /**
   * Copies the journal, about a second for a million changed files: between two transactions its files are together
   * what a crash would leave. So whoever reads need not hurry, and holds up no checkpoint.
   */
  begin(snapshot: string): void {
    const folder = snapshotFolder(this.directory, snapshot);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const [from, to] = [journalPath(this.directory), journalPath(folder)];
    for (const suffix of ["", "-wal"]) copyFileSync(from + suffix, to + suffix, constants.COPYFILE_FICLONE);
    this.#snapshots.set(snapshot, new Map());
  }

  /** Twice is the same as once. */
  end(snapshot: string): void {
    if (!this.#snapshots.delete(snapshot)) return;
    rmSync(snapshotFolder(this.directory, snapshot), { recursive: true, force: true });
    this.journal.transaction(() => {
      this.journal.db.prepare("delete from clones where snapshot = ?").run(snapshot);
    });
  }

  /** To be called before the bytes `span` of a data file change; `sizeBytes` is the file's size until then. */
  keep(ino: Ino, span: Span, sizeBytes: number): void {
    for (const [snapshot, kept] of this.#snapshots) {
      const state = kept.get(ino) ?? this.#first(snapshot, ino, sizeBytes);
      kept.set(ino, state);
      if (state !== "all")
        this.#keepPart(snapshot, ino, { start: span.start, end: Math.min(span.end, state.sizeBytes) });
    }
  }

  /** To be called before a data file is removed: what a snapshot needs of it lives on under another name. */
  keepWhole(ino: Ino): void {
    for (const [snapshot, kept] of this.#snapshots) {
      const state = kept.get(ino);
      if (state === undefined) this.#adopt(snapshot, ino);
      else if (state !== "all") this.#keepPart(snapshot, ino, { start: 0, end: state.sizeBytes });
      kept.set(ino, "all");
    }
  }

  #first(snapshot: string, ino: Ino, sizeBytes: number): Kept {
    const isSmall = this.data.lengthBytes(ino) <= SMALL_BYTES;
    if (!isSmall && !this.#sharesBlocks) return { sizeBytes };
    if (!this.#copyWhole(snapshot, ino, isSmall)) return { sizeBytes };
    this.#record(snapshot, ino, WHOLE);
    return "all";
  }

  /** False where only parts can be copied. No data file yet is as good as a copy: its bytes were zeros. */
  #copyWhole(snapshot: string, ino: Ino, isSmall: boolean): boolean {
    const mode = isSmall ? constants.COPYFILE_FICLONE : constants.COPYFILE_FICLONE_FORCE;
    try {
      copyFileSync(this.data.path(ino), clonePath(this.directory, snapshot, ino), mode);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return true;
      if (isSmall) throw error;
      this.#sharesBlocks = false;
    }
    return isSmall || this.#sharesBlocks;
  }

  #keepPart(snapshot: string, ino: Ino, span: Span): void {
    for (const part of without(this.journal.clones.within([snapshot, ino], span), span)) {
      this.data.copyTo(ino, part, clonePath(this.directory, snapshot, ino));
      this.#record(snapshot, ino, part);
    }
  }

  /** The clone is there before the row that says so, and the row before the data file goes: a reader finds one. */
  #adopt(snapshot: string, ino: Ino): void {
    try {
      linkSync(this.data.path(ino), clonePath(this.directory, snapshot, ino));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
    this.#record(snapshot, ino, WHOLE);
  }

  #record(snapshot: string, ino: Ino, span: Span): void {
    this.journal.transaction(() => this.journal.clones.add([snapshot, ino], span));
  }
}
