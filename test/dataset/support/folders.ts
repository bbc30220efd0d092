/** Folders of the disk made from plain data, and folders and versions told as plain data, to be compared whole. */
import { createHash } from "node:crypto";
import {
  type BigIntStats,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

import type { Dataset } from "../../../src/dataset/dataset.js";
import type { ListOptions } from "../../../src/dataset/listing.js";
import { readXattrs } from "../../../src/dataset/local-xattrs.js";
import { type Entry, EntryType } from "../../../src/manifest/entry.js";
import { compareKeys, keyOf } from "../../../src/manifest/key.js";
import type { TreePath } from "../../../src/paths.js";

/** Content, or where a symbolic link leads. A path that ends in `/` is a folder, whatever it is given. */
export type Contents = Readonly<Record<string, string | Uint8Array | { target: string }>>;

/** Makes files, links and folders below `root`. */
export function writeFolder(root: string, contents: Contents): void {
  mkdirSync(root, { recursive: true });
  for (const [path, content] of Object.entries(contents)) {
    const at = `${root}/${path}`;
    mkdirSync(path.endsWith("/") ? at : dirname(at), { recursive: true });
    if (path.endsWith("/")) continue;
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(at, content);
    else symlinkSync(content.target, at);
  }
}

/** Path (a byte string) to a line that says all a version keeps of it but its owner. */
export type Described = Record<string, string>;

export interface DescribeOptions {
  /** Default true: modes, times, attributes and hard links too; else only what the content digest covers. */
  metadata?: boolean;
}

/** What lies below a folder of the disk. */
export function describeFolder(root: string, { metadata = true }: DescribeOptions = {}): Described {
  const seen = walk(Buffer.from(root).toString("latin1"), "");
  const paths = new Map<bigint, string[]>();
  for (const { path, stats } of seen) paths.set(stats.ino, [...(paths.get(stats.ino) ?? []), path]);
  const lines = seen.map(({ path, at, stats }) => {
    const names = paths.get(stats.ino)!;
    const first = names.length > 1 ? firstOf(names) : undefined;
    return [path, `${plainOf(at, stats)}${metadata ? metadataOf(at, stats, first) : ""}`];
  });
  return Object.fromEntries(lines.sort(byPath)) as Described;
}

/** What a version (or a draft, without contents) holds; the bytes of files are read and hashed. */
export async function describeVersion(
  dataset: Dataset,
  { metadata = true }: DescribeOptions = {},
): Promise<Described> {
  const lines: [string, string][] = [];
  for await (const entry of dataset.listFiles()) {
    const kept = metadata ? keptOf(entry) : "";
    lines.push([entry.path, `${await plainOfEntry(dataset, entry)}${kept}`]);
  }
  return Object.fromEntries(lines.sort(byPath));
}

/** The paths of a version or draft, folders with a `/` at their end. */
export async function pathsOf(
  dataset: Dataset,
  options: ListOptions = {},
  directory = "",
): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path, type } of dataset.listFiles(directory, options))
    paths.push(type === EntryType.directory ? `${path}/` : path);
  return paths.sort();
}

/** The text of a file of a finished version. */
export async function textIn(dataset: Dataset, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of dataset.readFile(path)) parts.push(bytes);
  return Buffer.concat(parts).toString();
}

interface Seen {
  path: string;
  at: string;
  stats: BigIntStats;
}

function walk(root: string, below: string): Seen[] {
  const names = readdirSync(Buffer.from(root + below, "latin1"), "latin1");
  return names.flatMap((name) => {
    const path = below === "" ? name : `${below.slice(1)}/${name}`;
    const at = `${root}/${path}`;
    const stats = lstatSync(Buffer.from(at, "latin1"), { bigint: true });
    return [{ path, at, stats }, ...(stats.isDirectory() ? walk(root, `/${path}`) : [])];
  });
}

function plainOf(at: string, stats: BigIntStats): string {
  const bytes = Buffer.from(at, "latin1");
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return `symlink ${readlinkSync(bytes, "latin1")}`;
  if (!stats.isFile()) return "special";
  return plainOfFile(Number(stats.mode), createHash("sha256").update(readFileSync(bytes)).digest("hex"));
}

async function plainOfEntry(dataset: Dataset, entry: Entry): Promise<string> {
  if (entry.type === EntryType.directory) return "directory";
  if (entry.type === EntryType.symlink) return `symlink ${entry.target}`;
  const hash = createHash("sha256");
  for await (const bytes of dataset.readFile(entry)) hash.update(bytes);
  return plainOfFile(entry.mode, hash.digest("hex"));
}

function plainOfFile(mode: number, sha256: string): string {
  return `file ${sha256.slice(0, 16)}${(mode & 0o111) !== 0 ? " executable" : ""}`;
}

function metadataOf(at: string, stats: BigIntStats, first: string | undefined): string {
  const mode = Number(stats.mode);
  const isLink = (mode & constants.S_IFMT) === constants.S_IFLNK;
  const xattrs = isLink ? undefined : readXattrs(at);
  return metadataLine(mode & 0o7777, stats.mtimeNs, xattrs, first);
}

function keptOf(entry: Entry): string {
  const ns = BigInt(entry.mtimeSec) * 1_000_000_000n + BigInt(entry.mtimeNsec);
  const others = entry.type === EntryType.file ? entry.hardLinks : undefined;
  const first = others && firstOf([entry.path, ...others]);
  return metadataLine(entry.mode, ns, entry.xattrs, first);
}

function metadataLine(
  mode: number,
  mtimeNs: bigint,
  xattrs: Entry["xattrs"],
  first: string | undefined,
): string {
  const attributes = [...(xattrs ?? [])].map(
    ([name, value]) => ` ${name}=${Buffer.from(value).toString("hex")}`,
  );
  return ` ${mode.toString(8)} ${mtimeNs}${attributes.sort().join("")}${first === undefined ? "" : ` same as ${first}`}`;
}

/** The member of a group of hard links that sorts first in a tree. */
function firstOf(paths: readonly string[]): string {
  return [...paths].sort((a, b) => compareKeys(keyOf(a as TreePath), keyOf(b as TreePath)))[0]!;
}

function byPath([a]: readonly string[], [b]: readonly string[]): number {
  return a! < b! ? -1 : 1;
}

/** What a call says that has staged nothing. */
export const NO_COUNTS = {
  added: 0,
  modified: 0,
  metadata: 0,
  unchanged: 0,
  removed: 0,
  renamed: 0,
  files: 0,
  skipped: [],
};
