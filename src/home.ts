/**
 * Where a user's folders are. `VARVE_HOME` holds all of them when set; else they lie where the XDG Base Directory
 * specification puts them. Naming is pure; folders are made by `ensureDir` when somebody first writes.
 * Source: https://specifications.freedesktop.org/basedir-spec/latest/
 */
import { closeSync, existsSync, mkdirSync, openSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

import { isRemoteName } from "./remote/name.js";
import { GiB, parseSizeBytes } from "./units.js";
import { DatasetError, errnoOf } from "./errors.js";

/** A user's folders and defaults, as absolute paths (or, where said, URLs). */
export interface Home {
  /** The catalog, drafts and the default remote. */
  dataDir: string;
  /** Overlays, logs, running mounts. */
  stateDir: string;
  cacheDir: string;
  /** Most the cache may hold on disk, in bytes. */
  cacheBytes: number;
  /** Most that read-only copies may take on disk, in bytes. */
  copiesBytes: number;
  /** A file, or a URL (`postgres://…`) from `VARVE_CATALOG`. */
  catalogPath: string;
  draftsDir: string;
  /** Bundles, and the catalog and drafts of what is made offline. */
  offlineDir: string;
  overlaysDir: string;
  mountsDir: string;
  logsDir: string;
  /** A folder, or from `VARVE_REMOTE` a URL (`s3://…`) or the name of a remote. */
  defaultRemote: string;
  /** Keys of the user's own, and which others are trusted. */
  keysDir: string;
  /** What signs versions made here: the name of a key of the user's own, or a path. Default: nothing. */
  signingKey?: string | undefined;
  /** Keys, names of keys, or paths of files with keys, of which one must have signed what is read. Default: what `varve key trust` says. */
  verifyKeys: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_CACHE_BYTES = 10 * GiB;
/** Ten times the cache: a copy is all of a version. */
const DEFAULT_COPIES_BYTES = 100 * GiB;
/** The specification's mode, and what the cache asks of a folder whose files it may trust. */
const PRIVATE_MODE = 0o700;
const PRIVATE_FILE_MODE = 0o600;

/**
 * The folders `env` asks for; an empty variable counts as unset.
 *
 * @param userDir The user's home folder. Default: as the system says.
 * @throws {DatasetError} `bad-input` when `VARVE_CACHE_SIZE` or `VARVE_COPIES_SIZE` is no size
 */
export function homeOf(env: Environment, userDir: string = env["HOME"] || homedir()): Home {
  const { dataDir, stateDir, cacheDir } = basesOf(env, userDir);
  return {
    dataDir,
    stateDir,
    cacheDir: placeOf(env["VARVE_CACHE_DIR"]) ?? cacheDir,
    cacheBytes: env["VARVE_CACHE_SIZE"] ? parseSizeBytes(env["VARVE_CACHE_SIZE"]) : DEFAULT_CACHE_BYTES,
    copiesBytes: env["VARVE_COPIES_SIZE"] ? parseSizeBytes(env["VARVE_COPIES_SIZE"]) : DEFAULT_COPIES_BYTES,
    catalogPath: placeOf(env["VARVE_CATALOG"]) ?? join(dataDir, "catalog.db"),
    draftsDir: join(dataDir, "drafts"),
    offlineDir: join(dataDir, "offline"),
    overlaysDir: join(stateDir, "overlays"),
    mountsDir: join(stateDir, "mounts"),
    logsDir: join(stateDir, "logs"),
    defaultRemote: remoteOf(env["VARVE_REMOTE"]) ?? join(dataDir, "remote"),
    keysDir: join(dataDir, "keys"),
    ...(env["VARVE_SIGNING_KEY"] && { signingKey: keyOf(env["VARVE_SIGNING_KEY"]) }),
    verifyKeys: verifyKeysOf((env["VARVE_VERIFY_KEY"] ?? "").split(",")),
  };
}

/** Keys as a user gives them, their paths made absolute, since a mount's process runs elsewhere. */
export function verifyKeysOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => (text.trim() === "" ? [] : [keyOf(text.trim())]));
}

/**
 * Makes a folder of the user, and those above it, readable by the user alone; gives its path.
 *
 * @throws {DatasetError} `target-unwritable`, `disk-full`
 */
export function ensureDir(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: PRIVATE_MODE });
    return path;
  } catch (error) {
    const errno = errnoOf(error);
    const why = WHY_NO_FOLDER[errno ?? ""];
    if (why === undefined) throw error;
    const message = `Cannot make the folder "${path}": ${why}; VARVE_HOME names another place for what varve keeps`;
    throw new DatasetError(errno === "ENOSPC" ? "disk-full" : "target-unwritable", { path }, message, {
      cause: error,
    });
  }
}

/** Makes a file that its user alone may read, where there is none; gives its path. What SQLite lays beside it has its mode. */
export function ensureFile(path: string): string {
  if (!existsSync(path)) closeSync(openSync(path, "a", PRIVATE_FILE_MODE));
  return path;
}

const WHY_NO_FOLDER: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "what stands above it is no folder",
  EEXIST: "a file of that name is there",
  ENOSPC: "the disk is full",
};

/** Whether there is a catalog, or a server that has one, as far as this machine knows. */
export function hasCatalog({ catalogPath }: Home): boolean {
  return !isAbsolute(catalogPath) || existsSync(catalogPath);
}

/** Real paths of all folders of a user that are there, the default remote among them where it is one. */
export function foldersOf({ dataDir, stateDir, cacheDir, defaultRemote }: Home): string[] {
  const folders = [dataDir, stateDir, cacheDir, defaultRemote.replace(/^file:\/\//, "")];
  return folders.filter((path) => isAbsolute(path) && existsSync(path)).map((path) => realpathSync(path));
}

function basesOf(env: Environment, userDir: string): Pick<Home, "dataDir" | "stateDir" | "cacheDir"> {
  const home = placeOf(env["VARVE_HOME"]);
  if (home) return { dataDir: home, stateDir: home, cacheDir: join(home, "cache") };
  const xdg = (name: string, fallback: string) =>
    join(xdgBase(env[name]) ?? join(userDir, fallback), "varve");
  return {
    dataDir: xdg("XDG_DATA_HOME", ".local/share"),
    stateDir: xdg("XDG_STATE_HOME", ".local/state"),
    cacheDir: xdg("XDG_CACHE_HOME", ".cache"),
  };
}

/** The specification: "All paths must be absolute. If … a relative path … consider the path invalid and ignore it." */
function xdgBase(value: string | undefined): string | undefined {
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

function remoteOf(value: string | undefined): string | undefined {
  return value !== undefined && isRemoteName(value) ? value : placeOf(value);
}

/** A key has spaces, a name no slash; the rest is a path. */
function keyOf(text: string): string {
  return text.includes(" ") || !text.includes("/") ? text : resolve(text);
}

/** A URL as it is; a path made absolute, since a mount's process runs elsewhere. */
function placeOf(value: string | undefined): string | undefined {
  if (!value) return undefined;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : resolve(value);
}
