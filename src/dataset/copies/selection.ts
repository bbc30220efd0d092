/**
 * Which entries of a version a copy holds: all, some files or folders, what matches a wildcard, one part of several.
 * Kept as one bit an entry, whatever the size of the version.
 */
import type { Cache } from "../../cache/cache.js";
import { DatasetError } from "../../errors.js";
import { EntryType } from "../../manifest/entry.js";
import type { Range } from "../../manifest/range.js";
import type { Tree } from "../../manifest/tree.js";
import { ROOT, type TreePath, parentOf, pathOfText, textOf } from "../../paths.js";
import { type OptionNames, listOf } from "../known-options.js";
import { wildcardsOf } from "../wildcard.js";
import { type PartOptions, checkPart, isInPart } from "./parts.js";

export interface CopySelection extends PartOptions {
  /** Files, and folders with all below them, as paths in the version. Default: all of it. */
  files?: readonly string[] | undefined;
  /** Wildcards, as `addFiles` takes them; what matches one is taken. With `files` too: what is in either. */
  globs?: readonly string[] | undefined;
  /** What becomes of external files: fetched, or left out. Default `fetch`. */
  links?: "fetch" | "skip" | undefined;
}

export const COPY_SELECTION: OptionNames<CopySelection> = {
  files: true,
  globs: true,
  part: true,
  numParts: true,
  links: true,
};

export interface Selection {
  has(ordinal: number): boolean;
  /** Files, external files and symbolic links. */
  files: number;
  /** Of their content. */
  bytes: number;
}

/** A run of entries: `range` holds those of ordinals from `ordinal` on. */
export interface RangeAt {
  range: Range;
  ordinal: number;
}

/** Whether these options ask for less than all. */
export function isPartial({ files, globs, part, numParts, links }: CopySelection): boolean {
  return [files, globs, part, numParts].some((option) => option !== undefined) || links === "skip";
}

/**
 * Finds what is asked for. Folders come along where something selected lies in them; with parts alone every part has
 * all folders. Costs a walk over the manifest, two for a part.
 *
 * @throws {DatasetError} `path-missing` for a file or a wildcard that the version has nothing of; `bad-input`
 */
export async function selectEntries(
  cache: Cache,
  tree: Tree,
  options: CopySelection = {},
): Promise<Selection> {
  checkPart(options);
  if (!isPartial(options)) return allOf(tree);
  const isNamed = options.files !== undefined || options.globs !== undefined;
  const bits = new Bits(tree.entryCount, !isNamed);
  const selecting = new Selecting(cache, tree, bits);
  if (options.files) await selecting.addFiles(listOf("copies with files", options.files));
  if (options.globs) await selecting.addMatching(listOf("copies with globs", options.globs));
  if (options.links === "skip") await selecting.dropLinks();
  const whole = await selecting.totals();
  if (options.numParts !== undefined) await selecting.dropOtherParts(options, whole);
  if (isNamed) await selecting.addFolders();
  return { has: (ordinal) => bits.has(ordinal), ...(await selecting.totals()) };
}

function allOf({ root: { totals } }: Tree): Selection {
  return {
    has: () => true,
    files: totals.files + totals.symlinks + totals.links,
    bytes: totals.contentBytes,
  };
}

/** The ranges of a tree in order. */
export async function* rangesOf(cache: Cache, tree: Tree): AsyncGenerator<RangeAt> {
  for (let number = 0; number < tree.root.rangeCount; number++) {
    const ordinal = tree.root.ordinalAt(number);
    yield { range: (await cache.complete(() => tree.place(ordinal))).range, ordinal };
  }
}

class Selecting {
  constructor(
    private readonly cache: Cache,
    private readonly tree: Tree,
    private readonly bits: Bits,
  ) {}

  async addFiles(paths: readonly string[]): Promise<void> {
    for (const text of paths) {
      const path = pathOfText(text);
      const ordinal = await this.cache.complete(() => this.tree.find(path));
      if (ordinal === undefined && path !== ROOT) throw noSuch(text, "has no such path");
      if (ordinal !== undefined) this.bits.add(ordinal);
      const isFolder = ordinal === undefined || (await this.#typeOf(ordinal)) === EntryType.directory;
      if (isFolder) await this.#addBelow(path);
    }
  }

  async addMatching(globs: readonly string[]): Promise<void> {
    const sought = globs.map((glob) => ({ glob, wildcards: wildcardsOf(glob), found: false }));
    await this.#visit(
      ({ range, index, ordinal }) => {
        const path = range.pathAt(index);
        for (const one of sought)
          if (one.wildcards.takes(path)) {
            one.found = true;
            this.bits.add(ordinal);
          }
      },
      () => true,
    );
    const vain = sought.find(({ found }) => !found);
    if (vain) throw noSuch(vain.glob, "has nothing that matches it");
  }

  async dropLinks(): Promise<void> {
    await this.#visit(({ range, index, ordinal }) => {
      if (range.typeAt(index) === EntryType.link) this.bits.drop(ordinal);
    });
  }

  async totals(): Promise<{ files: number; bytes: number }> {
    const totals = { files: 0, bytes: 0 };
    await this.#visit(({ range, index }) => {
      totals.files++;
      totals.bytes += range.sizeAt(index);
    });
    return totals;
  }

  async dropOtherParts(options: PartOptions, whole: { files: number; bytes: number }): Promise<void> {
    const mine = isInPart(options, whole);
    await this.#visit(({ range, index, ordinal }) => {
      if (!mine(range.sizeAt(index))) this.bits.drop(ordinal);
    });
  }

  /** Those that something lies in. */
  async addFolders(): Promise<void> {
    const parents = new Set<TreePath>();
    await this.#visit(({ range, index }) => void parents.add(range.parentAt(index)));
    const seen = new Set<TreePath>();
    for (const parent of parents) await this.#addAbove(parent, seen);
  }

  async #addAbove(folder: TreePath, seen: Set<TreePath>): Promise<void> {
    for (let at = folder; !seen.has(at); at = parentOf(at)) {
      seen.add(at);
      const ordinal = await this.cache.complete(() => this.tree.find(at));
      if (ordinal !== undefined) this.bits.add(ordinal);
    }
  }

  async #addBelow(folder: TreePath): Promise<void> {
    const folders = [folder];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const parent = at;
      const { start, end } = await this.cache.complete(() => this.tree.children(parent));
      for (let ordinal = start; ordinal < end; ordinal++) {
        this.bits.add(ordinal);
        if ((await this.#typeOf(ordinal)) !== EntryType.directory) continue;
        folders.push(await this.cache.complete(() => this.tree.path(ordinal)));
      }
    }
  }

  #typeOf(ordinal: number): Promise<EntryType> {
    return this.cache.complete(() => this.tree.type(ordinal));
  }

  /** Shows what is no folder, by default of what is selected so far. */
  async #visit(
    visit: (place: { range: Range; index: number; ordinal: number }) => void,
    isSought = (ordinal: number) => this.bits.has(ordinal),
  ): Promise<void> {
    for await (const { range, ordinal: first } of rangesOf(this.cache, this.tree))
      for (let index = 0; index < range.count; index++) {
        const ordinal = first + index;
        if (range.typeAt(index) !== EntryType.directory && isSought(ordinal))
          visit({ range, index, ordinal });
      }
  }
}

/** One bit an entry. */
class Bits {
  readonly #bytes: Uint8Array;

  constructor(count: number, all: boolean) {
    this.#bytes = new Uint8Array(Math.ceil(count / 8)).fill(all ? 0xff : 0);
  }

  has(at: number): boolean {
    return (this.#bytes[at >> 3]! & (1 << (at & 7))) !== 0;
  }

  add(at: number): void {
    this.#bytes[at >> 3]! |= 1 << (at & 7);
  }

  drop(at: number): void {
    this.#bytes[at >> 3]! &= ~(1 << (at & 7));
  }
}

function noSuch(text: string, problem: string): DatasetError<"path-missing"> {
  const message = `Cannot copy "${text}": the version ${problem}`;
  return new DatasetError("path-missing", { path: textOf(pathOfText(text)) }, message);
}
