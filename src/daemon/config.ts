/** What the process of a mount is told by who starts it, and what it tells back. Plain data: it goes over a channel. */
import type { MissingRemote } from "../dataset/missing-remotes.js";
import type { Failure } from "../failure.js";
import type { Home } from "../home.js";
import type { LogLevel } from "../log-format.js";
import type { EndsWithout } from "./idle-end.js";

export interface MountOptions {
  /** Default false: the version is read-only. Changes of a writable mount become a child version on unmount. */
  writable?: boolean | undefined;
  /** Default false: only the mounting user sees into the mount. */
  allowOther?: boolean | undefined;
  /** Whom entries belong to, as far as their own owners are not shown. Default: the mounting user. Of mounts that are read. */
  uid?: number | undefined;
  gid?: number | undefined;
  /** Nothing in it can be run as a program. Default false. */
  noexec?: boolean | undefined;
  /** What lists of mounts (`findmnt`) show as the source. Default: the version's reference. */
  source?: string | undefined;
  transport?: "kernel" | "fuse-native" | undefined;
  /** `fuse-native` writes only when its limits are accepted. */
  acceptLimits?: boolean | undefined;
  /** Show the owners that entries keep instead of the mounting user. Always so on a writable mount. */
  preserveOwner?: boolean | undefined;
  /** Show only files of which this expression over their metadata holds, and their folders. Of mounts that are read. */
  where?: string | undefined;
  /** Show only files that one of these patterns matches, and their folders. Of mounts that are read. */
  globs?: readonly string[] | undefined;
  /** Let the kernel read large cached files by itself, where it can. Default true. */
  passthrough?: boolean | undefined;
  /** Serve only what is in the cache: what is not there gives EIO at once, and no remote is asked. Default false. */
  offline?: boolean | undefined;
  /** A pin in the cache that the mount takes over, so that what it covers stays there while the mount lives. */
  pin?: number | undefined;
  /** Events below it are not logged. Default: as `VARVE_LOG_LEVEL` says, else `info`. */
  logLevel?: LogLevel | undefined;
  /** Serves metrics for Prometheus: `PORT` of this machine alone, or `HOST:PORT`. */
  metrics?: string | undefined;
  /** Longest wait on a remote, in ms. Default 60,000. */
  deadlineMs?: number | undefined;
  /** Of a mount made for other processes: when it ends without them. */
  endsWithout?: EndsWithout | undefined;
  /** Id of an overlay to go on with, for recovery. */
  overlay?: string | undefined;
}

/** A version to be mounted. */
export interface ShownVersion {
  id: string;
  /** `project/name`. */
  dataset: string;
  /** Its label. */
  version: string;
}

export interface DaemonConfig {
  home: Home;
  logFile: string;
  mountpoint: string;
  /** Undefined: every version of the catalog, or the one that is sought. */
  shown: ShownVersion | undefined;
  /** A reference to a version, which the process looks for itself, so that only one loads what speaks to catalog and store. */
  sought?: string | undefined;
  options: MountOptions;
}

export interface MountInfo {
  mountpoint: string;
  /** Of the version that is mounted; this and the next two are null where all are. */
  id: string | null;
  /** `project/name`. */
  dataset: string | null;
  /** Its label. */
  version: string | null;
  writable: boolean;
  /** Remotes with some of its bytes that cannot be read from here; asked where the reference named a remote. */
  missing: readonly MissingRemote[];
  /** Heads beside it, where the reference left the choice of a version to varve and nobody else has told of them. */
  unmerged: readonly string[];
}

/** How the cache has served a mount since it began. */
export interface CacheHits {
  /** Look-ups of blocks answered from memory or disk. */
  hits: number;
  /** Those that needed a remote. */
  misses: number;
  fetchedBytes: number;
  requests: number;
}

/** What a mount shows, as messages and lists of mounts name it. */
export function nameOfShown(shown: Pick<MountInfo, "dataset" | "version">): string {
  return shown.dataset === null ? "all versions" : `${shown.dataset}@${shown.version}`;
}

/** Notices come first, what is for a person to know; then one of the others ends the talk. */
export type DaemonReply = { notice: string } | { ready: MountInfo } | { failure: Failure };
