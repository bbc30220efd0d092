/**
 * What the overlay needs of the version below it. `VersionFiles` satisfies `BaseFiles`, and a manifest's tree
 * `BaseNames`; here stands no more than is used. Everything may throw `Missing`.
 */
import type { Entry } from "../../manifest/entry.js";
import type { TreePath } from "../../paths.js";
import type { Attributes, Ino } from "../filesystem.js";

/** A version's names: entries by ordinal and path. */
export interface BaseNames {
  find(path: TreePath): number | undefined;
  findChild(directory: TreePath, name: string): number | undefined;
  /** The ordinals `[start, end)` of what a directory holds, sorted by name. */
  children(directory: TreePath): { start: number; end: number };
  path(ordinal: number): TreePath;
  entry(ordinal: number): Entry;
}

/** A version's files as a mount shows them, with the owners that their entries keep. */
export interface BaseFiles {
  readonly tree: BaseNames;
  child(directory: number, name: string): number | undefined;
  children(directory: number): { start: number; end: number };
  entry(ordinal: number): Entry;
  /** The ordinal whose inode an entry shares: of its hard links the one that sorts first, else its own. */
  shared(ordinal: number): number;
  attributes(ordinal: number): Attributes;
  read(ordinal: number, offset: number, length: number, target: Uint8Array, at: number): number;
}

/** Inodes from here on were made in an overlay; those below are an entry of the base each, its ordinal + 1. */
export const FIRST_NEW_INO = 2 ** 40;

/** The base entry behind an inode, or undefined for one made in the overlay. */
export function ordinalOf(ino: Ino): number | undefined {
  return ino < FIRST_NEW_INO ? ino - 1 : undefined;
}

export function inoOf(ordinal: number): Ino {
  return ordinal + 1;
}
