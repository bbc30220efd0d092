/** What a tree holds under one path. Plain data; the binary form is `range.ts`. */
import type { Chunk, Sha256 } from "../content/chunk.js";
import type { TreePath } from "../paths.js";

/** Numbers are part of the format. */
export const EntryType = { directory: 1, file: 2, symlink: 3, link: 4 } as const;
export type EntryType = (typeof EntryType)[keyof typeof EntryType];

interface Common {
  path: TreePath;
  /** Permission bits with set-uid, set-gid and sticky: `st_mode & 0o7777`. */
  mode: number;
  /** Modification time: whole seconds since 1970 (may be negative) and nanoseconds `[0, 1e9)`. */
  mtimeSec: number;
  mtimeNsec: number;
  uid: number;
  gid: number;
  /** `user.*` extended attributes: byte-string names to values, sorted by name when stored. */
  xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

/**
 * The other paths of the same file or symbolic link. On the member that sorts first: all other members, sorted as keys;
 * on every other member: that first one only. Absent for what has one name.
 */
export type HardLinks = readonly TreePath[] | undefined;

export interface DirectoryEntry extends Common {
  type: typeof EntryType.directory;
}

export interface FileEntry extends Common {
  type: typeof EntryType.file;
  sizeBytes: number;
  /** SHA-256 of the whole content (holes read as zeros). */
  sha256: Sha256;
  /** The content in order; their sizes sum to `sizeBytes`. Where the bytes lie is no part of any digest. */
  chunks: readonly Chunk[];
  /** Runs of zeros that were holes in the source, as `[start, end)`, sorted, disjoint. */
  holes?: readonly (readonly [number, number])[] | undefined;
  hardLinks?: HardLinks;
}

export interface SymlinkEntry extends Common {
  type: typeof EntryType.symlink;
  /** The target, as bytes (one character a byte), not empty, at most 4095 bytes. */
  target: string;
  hardLinks?: HardLinks;
}

/** A file whose bytes stay elsewhere. */
export interface LinkEntry extends Common {
  type: typeof EntryType.link;
  sizeBytes: number;
  /** Absolute URL, without credentials. */
  url: string;
  /** What proves that the source has not changed: `etag:…`, `version:…`, `generation:…`, `stat:…`; empty when unpinned. */
  pin: string;
  /** Where known. */
  sha256?: Sha256 | undefined;
}

export type Entry = DirectoryEntry | FileEntry | SymlinkEntry | LinkEntry;

/** What can have several names. */
export type LinkableEntry = FileEntry | SymlinkEntry;

export function isLinkable(entry: { type: number }): entry is LinkableEntry {
  return entry.type === EntryType.file || entry.type === EntryType.symlink;
}

export function hardLinksOf(entry: Entry): HardLinks {
  return isLinkable(entry) ? entry.hardLinks : undefined;
}

/** One step of an edit: the entry a path has from now on, or none. */
export type Edit = Entry | { path: TreePath; type: 0 };
