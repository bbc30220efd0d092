/**
 * The second transport: a `FileSystem` served through the npm package fuse-native, on the main thread, where the kernel's
 * protocol cannot be spoken directly. What it loses: times are whole milliseconds and not before 1970, a changed
 * modification time is the access time given with it, names that are not UTF-8 are left out, hard links show different
 * inode numbers, no holes, no `fallocate`, no rename flags, and a file removed while open stays as `.fuse_hidden…`.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { DatasetError, messageOf } from "../../errors.js";
import { type Log, silentLog } from "../../log.js";
import { textOf } from "../../paths.js";
import type { FileSystem } from "../filesystem.js";
import { type Fetch, answering } from "./fuse-native/answering.js";
import { type Fuse, type FuseOptions, loadFuseNative } from "./fuse-native/library.js";
import { OpenFiles } from "./fuse-native/open-files.js";
import { operationsOf } from "./fuse-native/operations.js";
import { type Mounted, thisPlatform } from "./fuse-native/platform.js";
import type { UnmountOptions } from "./kernel/unmount.js";

export type { Fetch } from "./fuse-native/answering.js";
export { isHiddenName } from "./fuse-native/translate.js";

export interface FuseNativeOptions {
  /** An empty folder. */
  mountpoint: string;
  fileSystem: FileSystem;
  /** Brings missing blocks here; what it throws, the reader sees. It bounds its own waits. */
  fetch: Fetch;
  /** What lists of mounts show: `vision/cifar10@1.2.0`. */
  name: string;
  /** Let other users in. Default false. */
  allowOther?: boolean | undefined;
  /** Default: nothing is logged. */
  log?: Log | undefined;
}

/** How a mount ended. */
export interface EndOfFuseNative {
  /** Cut off rather than unmounted: what programs wrote may not all have arrived. */
  aborted: boolean;
  /** Files that were written and never flushed. */
  unflushedHandles: number;
}

export interface FuseNativeMount {
  /** Absolute and without links. */
  readonly mountpoint: string;
  /** Resolves once the mount is gone, however that came, and files open for writing are closed. */
  readonly ended: Promise<EndOfFuseNative>;
  /** Takes the mount away; twice is the same as once. @throws {DatasetError} `mount-busy` */
  unmount(options?: UnmountOptions): Promise<void>;
}

/** A version never changes; a day is as good as for ever. */
const NEVER_CHANGES_SECONDS = 86_400;
/** Where folders come and go: this transport knows one time for all. */
const CHANGES_SECONDS = 1;
/**
 * Hard links are two inodes to this transport, and what the kernel remembers of one is wrong once the other is changed.
 * The package takes 0 for its default of a second.
 */
const NO_TIME_SECONDS = 0.000001;
/** fuse-native does not tell when a mount was taken away by others, so one looks. */
const LOOK_EVERY_MS = 200;
/** After a lazy unmount, how long files that are open for writing are waited for. */
const CLOSE_WAIT_MS = 10_000;

/**
 * Mounts and serves until unmounted. It serves on this thread: code that waits for this mount with a synchronous call
 * waits for ever.
 *
 * @throws {DatasetError} `mountpoint-unfit`, `mount-refused`; `unsupported` where fuse-native does not load
 */
export async function serveFuseNative(options: FuseNativeOptions): Promise<FuseNativeMount> {
  const { fileSystem, fetch, log = silentLog } = options;
  const platform = await thisPlatform();
  const mountpoint = await platform.checkMountpoint(options.mountpoint);
  const files = new OpenFiles();
  const operations = operationsOf({ fileSystem, files, run: answering(fetch, log), leftOut: onceTo(log) });
  const FuseNative = loadFuseNative();
  const fuse = new FuseNative(mountpoint, operations, mountOptions(options));
  await mount(fuse, mountpoint);
  const mounted = await platform.mounted(mountpoint);
  if (!mounted) throw refused(mountpoint, "the mount was gone at once");
  const cut = new AbortController();
  const ended = endOf(mounted, files, cut.signal).then((end) => letGo(FuseNative, fuse).then(() => end));
  const unmount = async (how: UnmountOptions = {}) => {
    if (how.force) cut.abort();
    await mounted.takeAway(how);
  };
  return { mountpoint, ended, unmount };
}

function mountOptions({ fileSystem, name, allowOther = false }: FuseNativeOptions): FuseOptions {
  const readSeconds = fileSystem.keepsListing ? CHANGES_SECONDS : NEVER_CHANGES_SECONDS;
  const timeoutSeconds = fileSystem.writable ? NO_TIME_SECONDS : readSeconds;
  return {
    timeout: false,
    fsname: name.replace(/[\\,]/g, "\\$&"), // A comma would begin the next option.
    subtype: "varve",
    allowOther,
    defaultPermissions: true,
    kernelCache: !fileSystem.writable,
    attrTimeout: timeoutSeconds,
    entryTimeout: timeoutSeconds,
  };
}

function mount(fuse: Fuse, mountpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fuse.mount((error) => {
      if (error) reject(refused(mountpoint, messageOf(error)));
      else resolve();
    });
  });
}

/** @param cut Aborted when the connection is: nobody will close the files that are open then. */
async function endOf(mounted: Mounted, files: OpenFiles, cut: AbortSignal): Promise<EndOfFuseNative> {
  while (await mounted.isThere()) await sleep(LOOK_EVERY_MS);
  mounted.gone();
  for (
    let waitedMs = 0;
    files.writers > 0 && !cut.aborted && waitedMs < CLOSE_WAIT_MS;
    waitedMs += LOOK_EVERY_MS
  )
    await sleep(LOOK_EVERY_MS);
  return { aborted: files.writers > 0, unflushedHandles: files.unflushed };
}

/**
 * The package lets go of the event loop only in its own unmounting, which hands the path to a shell; the mount is gone
 * by now, so there is nothing left to hand over.
 */
function letGo(FuseNative: ReturnType<typeof loadFuseNative>, fuse: Fuse): Promise<void> {
  FuseNative.unmount = (_mountpoint, done) => done(null);
  return new Promise((resolve, reject) => {
    fuse.unmount((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** One line a mount: a listing is repeated, and its reader cannot be told. */
function onceTo(log: Log): (name: string, directory: string) => void {
  let told = false;
  return (name, directory) => {
    if (!told) log.warn("names that are not UTF-8 are left out", { directory, name: textOf(name) });
    told = true;
  };
}

function refused(path: string, problem: string): DatasetError<"mount-refused"> {
  return new DatasetError(
    "mount-refused",
    { path },
    `Cannot mount on "${path}" with fuse-native: ${problem}`,
  );
}
