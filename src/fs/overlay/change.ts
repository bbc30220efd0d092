/** What an overlay changed, as its reader is told. Plain data. */
import type { EntryType } from "../../manifest/entry.js";
import type { TreePath } from "../../paths.js";
import type { Ino } from "../filesystem.js";

/** Everything an entry keeps but where its bytes lie. */
export interface ChangedEntry {
  type: EntryType;
  /** `st_mode & 0o7777`. */
  mode: number;
  mtimeSec: number;
  mtimeNsec: number;
  uid: number;
  gid: number;
  xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
  /** Of a symbolic link. */
  target?: string | undefined;
  sizeBytes: number;
  /** Entries of one inode are hard links of one file. */
  ino: Ino;
  nlink: number;
}

/** The bytes of a changed entry. */
export type ChangedContent =
  /** Those of a base entry, unchanged. */
  | { kind: "base"; ordinal: number }
  /** To be read by `openContent(ino)`; where `base` is given, parts of it are bytes of that base entry. */
  | { kind: "overlaid"; ino: Ino; base?: number | undefined }
  /** A directory or a symbolic link. */
  | { kind: "none" };

/**
 * One change. In order: a directory comes before what lies in it, a graft before what changed below it, and the
 * removal of a path before what took its place.
 */
export type OverlayChange =
  /** What the base has at this path is gone, with everything below it. */
  | { kind: "remove"; path: TreePath }
  /** A directory of the base appears here, with everything the base has below it. */
  | { kind: "graft"; path: TreePath; from: number }
  /** What is at this path now. For a directory: its own attributes; what lies in it stays. */
  | { kind: "put"; path: TreePath; entry: ChangedEntry; content: ChangedContent }
  /** A fifo, socket or device, which a version cannot hold. `type` is its `st_mode & S_IFMT`. */
  | { kind: "skipped"; path: TreePath; type: number };
