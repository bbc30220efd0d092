/**
 * The order of a tree and where it is cut into ranges. Both are part of the format: two machines that hold the same
 * entries must make the same ranges. Everything here depends on what the content digest covers and on nothing else,
 * so the content digest of a tree does not depend on times, modes, owners, attributes or where bytes lie.
 */
import { type TreePath, nameOf, parentOf } from "../paths.js";
import { MiB } from "../units.js";
import { type Entry, EntryType } from "./entry.js";

/** Parent directory, a NUL, name: a byte string by which entries sort. A directory's children are contiguous. */
export type Key = string & { readonly brand: "Key" };

/** A range ends with an entry whose key's hash has these bits clear: every 2,048th on average. */
const CUT_MASK = 2_047;
/** A range ends when it holds this many entries, so that its table is never larger than about a MiB. */
export const RANGE_ENTRIES_MAX = 8_192;
/** A range ends when its entries weigh this much, whatever their number. */
export const RANGE_WEIGHT_MAX_BYTES = 4 * MiB;
/** What an entry weighs besides its names: about the fixed part of its records. */
const ENTRY_WEIGHT_BYTES = 64;
/** What a MiB of a file weighs: about the record of the chunk it becomes. */
const CHUNK_WEIGHT_BYTES = 48;

// Source: http://www.isthe.com/chongo/tech/comp/fnv/ (32-bit FNV-1a)
const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The key of a path; the root's is a single NUL, which sorts first. */
export function keyOf(path: TreePath): Key {
  const slash = path.lastIndexOf("/");
  return (slash < 0 ? `\0${path}` : `${path.slice(0, slash)}\0${path.slice(slash + 1)}`) as Key;
}

/** The key of `name` in the directory `parent`. */
export function childKey(parent: TreePath, name: string): Key {
  return `${parent}\0${name}` as Key;
}

/** The path of a key; undoes `keyOf`. */
export function pathOfKey(key: Key): TreePath {
  return (key.startsWith("\0") ? key.slice(1) : key.replace("\0", "/")) as TreePath;
}

/** Negative, zero or positive as `a` sorts before, with or after `b`. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `compareKeys` of two paths' keys. An ancestor sorts before its descendants. */
export function comparePaths(a: TreePath, b: TreePath): number {
  return compareKeys(parentOf(a), parentOf(b)) || compareKeys(nameOf(a), nameOf(b));
}

/**
 * The hash that decides cuts, 32 bits, part of the format: 32-bit FNV-1a over the bytes of the key, then the
 * finalizer of MurmurHash3 (`fmix32`), since FNV-1a alone leaves the low bits of short keys correlated.
 * Source of the finalizer: https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */
export function keyHash(key: string): number {
  let hash = FNV_OFFSET_BASIS;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** What an entry adds to the weight of its range, in bytes. A link of known hash is in the content digest by that hash. */
export function weightOf(entry: Entry, key: Key): number {
  const fixed = ENTRY_WEIGHT_BYTES + key.length;
  if (entry.type === EntryType.symlink) return fixed + entry.target.length;
  if (entry.type === EntryType.link)
    return entry.sha256 ? fixed : fixed + entry.url.length + entry.pin.length;
  if (entry.type === EntryType.file) return fixed + Math.ceil(entry.sizeBytes / MiB) * CHUNK_WEIGHT_BYTES;
  return fixed;
}

/** Whether a range ends after the entry of `key`, which made it `count` entries of `weightBytes` in all. */
export function cutsAfter(key: Key, count: number, weightBytes: number): boolean {
  return (
    (keyHash(key) & CUT_MASK) === 0 || count >= RANGE_ENTRIES_MAX || weightBytes >= RANGE_WEIGHT_MAX_BYTES
  );
}
