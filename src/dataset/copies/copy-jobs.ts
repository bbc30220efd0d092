/** What the threads that write and compare a copy are asked: the one place both sides agree on. Plain data only. */
import type { Sha256 } from "../../content/chunk.js";
import type { Holes } from "../../content/source.js";
import type { TreePath } from "../../paths.js";

/** An entry of a version as it is to stand in a folder. */
export interface WantedEntry {
  path: TreePath;
  kind: "file" | "symlink" | "directory";
  /** Permission bits; of no meaning for a symbolic link. */
  mode: number;
  mtimeSec: number;
  mtimeNsec: number;
  /** Zero for what is no file. */
  sizeBytes: number;
  /** Of a symbolic link. */
  target?: string | undefined;
  /** Of a file, where it is known. */
  sha256?: Sha256 | undefined;
  holes?: Holes | undefined;
  xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
  /** How many names the file has in the version. */
  names: number;
}

/** How what lies in a folder compares with what is wanted there. */
export const Standing = { same: 0, attributes: 1, content: 2, missing: 3 } as const;
export type Standing = (typeof Standing)[keyof typeof Standing];

/**
 * Facts of files as the system tells them, `FACTS` numbers for each: size in bytes, mtime and ctime in ms, inode. All
 * zero: not there.
 */
export type Facts = Float64Array<ArrayBuffer>;
export const FACTS = 4;

/** Where a copy lies: an absolute real path, as a byte string, and the device of that folder. */
export interface Place {
  root: string;
  device: number;
  /** Whether what is in the way may be taken away; else it is a `conflict`. */
  replace: boolean;
}

/** A folder that all is in, and what else is to be taken out of it. */
export interface EndedFolder {
  entry: WantedEntry;
  /** Names to be kept; undefined keeps all. */
  keep: readonly string[] | undefined;
}

/** Failures are `disk-full`, `conflict` and `target-unwritable`. Buffers are transferred, not copied. */
export interface CopyJobs {
  /** Makes folders, in order, writable by us until `end`. */
  folders: { ask: { place: Place; paths: TreePath[] }; answer: undefined };
  /** Writes files and symbolic links that are not there; the contents lie end to end in `bytes`. */
  write: { ask: { place: Place; entries: WantedEntry[]; bytes: Uint8Array<ArrayBuffer> }; answer: Facts };
  /** Makes an empty file of the full size to be filled; gives its path. */
  begin: { ask: { place: Place; entry: WantedEntry }; answer: string };
  /** Writes bytes at an offset of a file that was begun; holes stay holes. */
  fill: {
    ask: { path: string; at: number; bytes: Uint8Array<ArrayBuffer>; holes: Holes | undefined };
    answer: undefined;
  };
  /** Gives a file that was begun and filled its name and attributes. */
  finish: { ask: { place: Place; path: string; entry: WantedEntry }; answer: Facts };
  /** Makes a file of the bytes of another, sharing its blocks where the file system can. */
  clone: { ask: { place: Place; entry: WantedEntry; from: string }; answer: Facts };
  /** Gives files and symbolic links that are there their modes, times and extended attributes. */
  adjust: { ask: { place: Place; entries: WantedEntry[] }; answer: Facts };
  /** Gives files a further name: that of `to` becomes one of `from`. */
  link: { ask: { place: Place; links: { from: TreePath; to: TreePath }[] }; answer: number };
  /** Takes what does not belong out of folders, and gives them their attributes; with how much was removed. */
  end: { ask: { place: Place; folders: EndedFolder[] }; answer: { facts: Facts; removed: number } };
  /** Which of the paths are no longer as these facts say. */
  facts: { ask: { root: string; paths: TreePath[]; facts: Facts }; answer: number[] };
  /** How what is there compares with what is wanted, by reading it; extended attributes too. */
  compare: {
    ask: { root: string; entries: WantedEntry[] };
    answer: { standings: Standing[]; facts: Facts };
  };
}
