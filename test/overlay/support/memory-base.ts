/** A version in memory, as an overlay's base: small, whole, and able to pretend that parts of it are not here yet. */
import { createHash } from "node:crypto";
import { type Block, Missing } from "../../../src/cache/block.js";
import type { Chunk, RemoteId, Sha256 } from "../../../src/content/chunk.js";
import { type Attributes, FileType } from "../../../src/fs/filesystem.js";
import type { BaseFiles, BaseNames } from "../../../src/fs/overlay/base.js";
import type { SnapshotBase } from "../../../src/fs/overlay/snapshot.js";
import { type Entry, EntryType, type FileEntry } from "../../../src/manifest/entry.js";
import { type TreePath, joinPath, nameOf, parentOf } from "../../../src/paths.js";

/** What a test says of an entry; the path is its key. */
export type Planned = { mode?: number; mtimeSec?: number; xattrs?: Record<string, string> } & (
  | { directory: true }
  | { content: Uint8Array; hardLinks?: string[]; holes?: [number, number][] }
  | { target: string }
);

/** Entries that pretend to lie in one range. */
const RANGE_ENTRIES = 3;

const keyOf = (path: TreePath): string => `${parentOf(path)}\0${nameOf(path)}`;

/** A base whose directories need not be named. `uid` and `gid` are those of all entries. */
export class MemoryBase implements BaseFiles, BaseNames {
  readonly tree = this;
  readonly #entries: Entry[];
  readonly #ordinals: Map<string, number>;
  readonly #contents = new Map<Sha256, Uint8Array>();
  readonly #present = new Set<string>();
  #pretends = false;

  constructor(planned: Readonly<Record<string, Planned>>) {
    const paths = Object.keys({ "": true, ...planned }) as TreePath[];
    const sorted = paths.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    this.#ordinals = new Map(sorted.map((path, ordinal) => [path, ordinal]));
    this.#entries = sorted.map((path) => this.#entryOf(path, planned[path] ?? { directory: true }));
  }

  /** From now on nothing is here until it was missed once. */
  forget(): void {
    this.#pretends = true;
    this.#present.clear();
  }

  supply({ blocks }: Missing): void {
    for (const { hash } of blocks) this.#present.add(hash);
  }

  /** The same version for `openSnapshot`. */
  get forSnapshot(): SnapshotBase {
    const complete = async <T>(work: () => T): Promise<T> => this.complete(work);
    return { tree: this, cache: { complete, read: async ({ hash }) => this.#contents.get(hash)! } };
  }

  complete<T>(work: () => T): T {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        this.supply(error);
      }
    }
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  contentOf(path: string): Uint8Array {
    const entry = this.#entries[this.#ordinals.get(path)!] as FileEntry;
    return this.#contents.get(entry.sha256)!;
  }

  find(path: TreePath): number | undefined {
    const ordinal = this.#ordinals.get(path);
    this.#need(`range ${Math.floor((ordinal ?? 0) / RANGE_ENTRIES)}`);
    return ordinal;
  }

  findChild(directory: TreePath, name: string): number | undefined {
    return this.find(joinPath(directory, name));
  }

  path(ordinal: number): TreePath {
    return this.entry(ordinal).path;
  }

  entry(ordinal: number): Entry {
    this.#need(`range ${Math.floor(ordinal / RANGE_ENTRIES)}`);
    const entry = this.#entries[ordinal];
    if (!entry) throw new RangeError(`Cannot read entry ${ordinal} of a tree of ${this.#entries.length}`);
    return entry;
  }

  child(directory: number, name: string): number | undefined {
    return this.findChild(this.path(directory), name);
  }

  children(directory: number | TreePath): { start: number; end: number } {
    const path = typeof directory === "number" ? this.path(directory) : directory;
    const isChild = (entry: Entry): boolean => entry.path !== "" && parentOf(entry.path) === path;
    const start = this.#entries.findIndex(isChild);
    if (start < 0) return { start: 0, end: 0 };
    return { start, end: this.#entries.findLastIndex(isChild) + 1 };
  }

  shared(ordinal: number): number {
    const entry = this.entry(ordinal);
    const links = entry.type === EntryType.file ? (entry.hardLinks ?? []) : [];
    return Math.min(ordinal, ...links.map((path) => this.#ordinals.get(path)!));
  }

  attributes(ordinal: number): Attributes {
    const entry = this.entry(this.shared(ordinal));
    const { mtimeSec, mtimeNsec, uid, gid } = entry;
    const changed = { ctimeSec: mtimeSec, ctimeNsec: mtimeNsec };
    const times = { atimeSec: mtimeSec, atimeNsec: mtimeNsec, mtimeSec, mtimeNsec, ...changed };
    const type = { 1: FileType.directory, 2: FileType.file, 3: FileType.symlink, 4: FileType.file }[
      entry.type
    ];
    const sizeBytes = entry.type === 1 ? 4096 : entry.type === 3 ? entry.target.length : entry.sizeBytes;
    const nlink = entry.type === EntryType.file ? 1 + (entry.hardLinks?.length ?? 0) : 1;
    const ino = this.shared(ordinal) + 1;
    return {
      ino,
      mode: type | entry.mode,
      nlink,
      uid,
      gid,
      rdev: 0,
      sizeBytes,
      allocatedBytes: sizeBytes,
      ...times,
    };
  }

  read(ordinal: number, offset: number, length: number, target: Uint8Array, at: number): number {
    const { sha256 } = this.entry(ordinal) as FileEntry;
    this.#need(sha256);
    const bytes = (this.#contents.get(sha256) ?? new Uint8Array()).subarray(offset, offset + length);
    target.set(bytes, at);
    return bytes.length;
  }

  #need(hash: string): void {
    if (this.#pretends && !this.#present.has(hash)) throw new Missing([{ hash } as Block]);
  }

  #entryOf(path: TreePath, plan: Planned): Entry {
    const { mode, mtimeSec = 1_600_000_000 } = plan;
    const [uid, gid] = [process.getuid!(), process.getgid!()];
    const xattrs = new Map(
      Object.entries(plan.xattrs ?? {}).map(([name, value]) => [name, Buffer.from(value)]),
    );
    const common = { path, mtimeSec, mtimeNsec: 5, uid, gid, ...(xattrs.size > 0 ? { xattrs } : {}) };
    if ("directory" in plan) return { ...common, mode: mode ?? 0o755, type: EntryType.directory };
    if ("target" in plan) return { ...common, mode: 0o777, type: EntryType.symlink, target: plan.target };
    const { content, holes } = plan;
    const sha256 = createHash("sha256").update(content).digest("hex") as Sha256;
    this.#contents.set(sha256, content);
    const chunk = {
      hash: sha256,
      sizeBytes: content.length,
      remote: "r" as RemoteId,
      pack: sha256,
      offset: 0,
    };
    const chunks: Chunk[] = content.length > 0 ? [{ ...chunk, storedBytes: content.length, codec: 0 }] : [];
    const hardLinks = plan.hardLinks as TreePath[] | undefined;
    const type = EntryType.file;
    return {
      ...common,
      mode: mode ?? 0o644,
      type,
      sizeBytes: content.length,
      sha256,
      chunks,
      hardLinks,
      holes,
    };
  }
}

/** Bytes that differ from place to place, so that a read from the wrong one is seen. */
export function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 1 + ((i * 7 + (i >> 8) * 13 + seed * 31) % 255));
}
