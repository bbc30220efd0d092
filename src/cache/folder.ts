/**
 * The cache's folder: where things lie in it, who else may write there, and so how far its files are trusted.
 * What the files hold is `index-db.ts` and `block-file.ts`.
 */
import { randomUUID } from "node:crypto";
import { type Stats, chmodSync, mkdirSync, readFileSync, statSync, statfsSync } from "node:fs";
import { join } from "node:path";

import { DatasetError } from "../errors.js";
import { damagedIndex } from "./index-damage.js";

export interface CacheFolder {
  /** Files of decoded blocks laid end to end. */
  blocksDir: string;
  indexPath: string;
  /** One file for each mount that uses the cache; made with the first. */
  holdersDir: string;
  /**
   * Nobody but us on this machine writes here, so a block that was checked when it entered needs no second look.
   * False for a folder shared with a group and on a network file system.
   */
  isPrivate: boolean;
  /** Permissions of every file made here. */
  fileMode: number;
  /** Permissions of the folder and those in it. */
  mode: number;
}

const PRIVATE_MODE = 0o700;
const OTHERS_MASK = 0o077;
/** What is made in a folder belongs to the folder's group; who may write there may remove only what is theirs. */
const SET_GROUP = 0o2000;
const STICKY = 0o1000;
/** Read, write and search for the group, and for everyone. */
const GROUP_ALL = 0o070;
const EVERYONE_ALL = 0o007;
/** `statfs(2)`: NFS, SMB, CIFS, 9p, Lustre, Ceph, GPFS, BeeGFS, FUSE (sshfs). Another machine may write there. */
const NETWORK_FILE_SYSTEMS = new Set([
  0x6969, 0xfe534d42, 0xff534d42, 0x01021997, 0x0bd00bd0, 0x00c36400, 0x47504653, 0x19830326, 0x65735546,
]);

/**
 * Opens the folder `directory`, making it (mode 0700) where there is none.
 * @throws {DatasetError} `bad-input` when it is another user's and not shared with us
 */
export function openFolder(directory: string): CacheFolder {
  mkdirSync(directory, { recursive: true, mode: PRIVATE_MODE });
  const stat = statShared(directory);
  if (!isOurs(stat) && !isShared(stat)) throw foreignFolder(directory, stat);
  const folder = {
    blocksDir: join(directory, "blocks"),
    indexPath: join(directory, "index.db"),
    holdersDir: join(directory, "holders"),
    isPrivate: isOurs(stat) && (stat.mode & OTHERS_MASK) === 0 && !isOnNetwork(directory),
    fileMode: stat.mode & 0o666,
    mode: stat.mode & 0o7777,
  };
  makeDirIn(folder, folder.blocksDir);
  return folder;
}

/** Makes a folder in the cache's own, with its permissions, whatever the umask says; gives its path. */
export function makeDirIn({ mode }: CacheFolder, path: string): string {
  if (mkdirSync(path, { recursive: true })) chmodSync(path, mode);
  return path;
}

/** What `randomUUID` gives, with which every file under `blocks/` is named. */
const BLOCK_FILE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The path of a block file. @throws when the index names a file that is none of ours: others may write to a shared one */
export function blockPath({ blocksDir, indexPath }: CacheFolder, name: string): string {
  if (!BLOCK_FILE.test(name)) throw damagedIndex(indexPath, `it names the file ${JSON.stringify(name)}`);
  return join(blocksDir, name);
}

/**
 * Names the time this machine has been up. Files are not synced when they are written, since what a power failure
 * takes can be fetched again; so a file of another boot is not trusted. Where the system does not say: this process.
 */
export function currentBoot(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return randomUUID();
  }
}

/** Its owner shares a folder with a group by mode 0770; that the group may use what is made there takes one bit more. */
function statShared(directory: string): Stats {
  const stat = statSync(directory);
  const isForGroup = (stat.mode & (GROUP_ALL | EVERYONE_ALL | SET_GROUP)) === GROUP_ALL;
  if (!isForGroup || !isOurs(stat)) return stat;
  chmodSync(directory, (stat.mode & 0o7777) | SET_GROUP);
  return statSync(directory);
}

function isOurs(stat: Stats): boolean {
  return stat.uid === process.geteuid?.();
}

/** Everyone must be able to remove what any other has made: it may be what was used least recently. */
function isShared({ mode, gid }: Stats): boolean {
  const isRoot = process.geteuid?.() === 0;
  const inGroup = gid === process.getegid?.() || (process.getgroups?.().includes(gid) ?? false);
  const forGroup = GROUP_ALL | SET_GROUP;
  const isForUs = (mode & forGroup) === forGroup && (inGroup || isRoot);
  return (mode & STICKY) === 0 && (isForUs || (mode & EVERYONE_ALL) === EVERYONE_ALL);
}

function isOnNetwork(directory: string): boolean {
  return NETWORK_FILE_SYSTEMS.has(statfsSync(directory).type >>> 0);
}

function foreignFolder(directory: string, { uid, mode }: Stats): DatasetError<"bad-input"> {
  const state = `it belongs to user ${uid} (mode ${(mode & 0o7777).toString(8)}) and is not shared with a group of yours`;
  const message = `Cannot use "${directory}" as cache: ${state}; name a folder of your own, or let its owner give it mode 2770`;
  return new DatasetError("bad-input", { value: directory }, message);
}
