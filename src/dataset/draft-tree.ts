/**
 * A draft's tree as it stands: the first parent's tree with the staged edits laid over it. Reads go through the cache;
 * staging keeps the tree whole (a directory above every entry, nothing below a file).
 */
import type { Cache } from "../cache/cache.js";
import { type DirectoryEntry, type Edit, type Entry, EntryType } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { ROOT, type TreePath, isWithin, parentOf } from "../paths.js";
import { depthFirst } from "./depth-first.js";
import { Effect, type Source, type Staging } from "./staging.js";

const NEW_DIRECTORY_MODE = 0o755;
/** Entries read together. What misses a range is run again from its start, so it must be little of a large folder. */
const BATCH = 1_000;

export class DraftTree {
  /** Directories known to exist, so that staging a thousand files of one folder asks once. */
  private readonly known = new Set<TreePath>();

  constructor(
    readonly staging: Staging,
    readonly base: Tree | undefined,
    private readonly cache: Cache,
  ) {}

  /** The entry at a path, staged or from the base. */
  async get(path: TreePath): Promise<Entry | undefined> {
    const staged = this.staging.get(path);
    if (staged) return staged.type === 0 ? undefined : staged;
    return this.inBase(path);
  }

  /** The entry at a path in the base, whatever is staged. */
  async inBase(path: TreePath): Promise<Entry | undefined> {
    const { base } = this;
    if (!base) return undefined;
    return this.cache.complete(() => {
      const ordinal = base.find(path);
      return ordinal === undefined ? undefined : base.entry(ordinal);
    });
  }

  /** The children of a directory in order of names. */
  async children(directory: TreePath): Promise<Entry[]> {
    const inBase = await this.childrenInBase(directory);
    const staged = this.staging.children(directory);
    return staged.length === 0 ? inBase : laidOver(inBase, staged);
  }

  /** Everything below a directory, parents before children. */
  below(directory: TreePath): AsyncIterable<Entry> {
    const inside = ({ type, path }: Entry) =>
      type === EntryType.directory ? this.children(path) : undefined;
    return depthFirst(this.children(directory), inside);
  }

  /** Stages an entry, the directories above it, and the end of what lay below it if it is not a directory. */
  async put(entry: Entry, effect: Effect): Promise<void> {
    await this.makeRoomFor(entry.path, entry.type);
    this.staging.put(entry, effect);
  }

  async putPending(entry: Parameters<Staging["putPending"]>[0], source: Source): Promise<void> {
    await this.makeRoomFor(entry.path, EntryType.file);
    this.staging.putPending(entry, source);
  }

  /** Stages that a path and everything below it is no more; gives the files and links that went. */
  async remove(path: TreePath): Promise<Exclude<Entry, DirectoryEntry>[]> {
    const entry = await this.get(path);
    if (!entry) return [];
    const doomed: Entry[] = [entry];
    if (entry.type === EntryType.directory) for await (const child of this.below(path)) doomed.push(child);
    this.staging.transaction(() => doomed.forEach((gone) => gone.path !== ROOT && this.drop(gone.path)));
    for (const directory of this.known) if (isWithin(directory, path)) this.known.delete(directory);
    return doomed.filter((gone) => gone.type !== EntryType.directory);
  }

  /** Says that a directory has been staged by somebody who knows there is room for it. */
  noteDirectory(path: TreePath): void {
    this.known.add(path);
  }

  /** Stages the directories down to `path` that are not there; a file in the way is replaced. */
  async ensureDirectory(path: TreePath): Promise<void> {
    const unknown: TreePath[] = [];
    for (let at = path; !this.known.has(at); at = parentOf(at)) {
      unknown.push(at);
      if (at === ROOT) break;
    }
    for (const at of unknown.reverse()) {
      if (!(await this.isDirectory(at))) this.staging.put(newDirectory(at), Effect.content);
      this.known.add(at);
    }
  }

  /** Makes the directories above a path, and ends what lies below it if a file or link is to take its place. */
  async makeRoomFor(path: TreePath, type: Entry["type"]): Promise<void> {
    if (path !== ROOT) await this.ensureDirectory(parentOf(path));
    if (type === EntryType.directory) this.known.add(path);
    else if (await this.isDirectory(path)) await this.remove(path);
  }

  private drop(path: TreePath): void {
    this.staging.remove(path);
  }

  private async isDirectory(path: TreePath): Promise<boolean> {
    return (await this.get(path))?.type === EntryType.directory;
  }

  private async childrenInBase(directory: TreePath): Promise<Entry[]> {
    const { base, cache } = this;
    if (!base) return [];
    const { start, end } = await cache.complete(() => base.children(directory));
    const entries: Entry[] = [];
    for (let at = start; at < end; at += BATCH) {
      const to = Math.min(end, at + BATCH);
      for (const entry of await cache.complete(() => [...base.entries(at, to)])) entries.push(entry);
    }
    return entries;
  }
}

/** A directory nobody described: made because something lies in it. */
export function newDirectory(path: TreePath): DirectoryEntry {
  const now = Date.now();
  const mtimeSec = Math.floor(now / 1000);
  const common = { mode: NEW_DIRECTORY_MODE, mtimeSec, mtimeNsec: (now % 1000) * 1_000_000 };
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return { type: EntryType.directory, path, ...common, ...owner };
}

function laidOver(entries: readonly Entry[], edits: readonly Edit[]): Entry[] {
  const byPath = new Map<TreePath, Edit>(entries.map((entry) => [entry.path, entry]));
  for (const edit of edits) byPath.set(edit.path, edit);
  const present = [...byPath.values()].filter((edit) => edit.type !== 0);
  return present.sort((a, b) => (a.path < b.path ? -1 : 1));
}
