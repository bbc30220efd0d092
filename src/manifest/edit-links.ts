/**
 * Hard links while a tree is edited. Whoever edits one name of a file need not know the others: what an edited path
 * was linked with, and what it says it is linked with, is noted on the way, and entries that then name the wrong paths
 * are written once more at the end.
 *
 * After an edit, paths are linked when one of them, edited, names the other and both hold the same content, or when
 * both were linked in the base and neither was edited.
 */
import { checkPath, type TreePath, textOf } from "../paths.js";
import { damaged } from "./binary.js";
import { type Entry, EntryType, type LinkableEntry, isLinkable } from "./entry.js";
import { samePaths } from "./entry-compare.js";
import { comparePaths } from "./key.js";
import { LinkGroups } from "./link-groups.js";
import type { Range } from "./range-view.js";
import type { TreeReader } from "./tree-reader.js";

type Paths = readonly TreePath[];
const NONE: Paths = [];

interface Edited {
  /** What the entry of the base named. */
  before: Paths | undefined;
  /** What the edit's entry names. */
  claims: Paths;
  /** What the path holds now; undefined when it is nothing that can have several names. */
  content: string | undefined;
}

export class LinkLedger {
  readonly #edited = new Map<TreePath, Edited>();

  /** Notes a put; gives the entry with its hard links as a range can hold them. */
  put(entry: Entry, before: Paths | undefined): Entry {
    const tidy = isLinkable(entry) && entry.hardLinks ? withLinks(entry, tidied(entry)) : entry;
    const claims = isLinkable(tidy) ? (tidy.hardLinks ?? NONE) : NONE;
    const content = isLinkable(tidy) ? contentOf(tidy) : undefined;
    if (before ?? claims.length > 0) this.#edited.set(tidy.path, { before, claims, content });
    return tidy;
  }

  removed(path: TreePath, before: Paths | undefined): void {
    if (before) this.#edited.set(path, { before, claims: NONE, content: undefined });
  }

  /**
   * The entries of the edited tree that must name other paths than they do, sorted.
   * @param base The tree before the edits.
   * @param result The tree after them.
   */
  async corrections(base: TreeReader, result: TreeReader): Promise<LinkableEntry[]> {
    if (this.#edited.size === 0) return [];
    const sorter = new LinkSorter(this.#edited, base, result);
    await sorter.run();
    return sorter.corrections();
  }
}

/** Works out who is linked with whom, and who says otherwise. */
class LinkSorter {
  readonly #groups = new LinkGroups();
  /** What each path names in the result. */
  readonly #said = new Map<TreePath, Paths>();
  /** First members of the base's groups seen so far. */
  readonly #taken = new Set<TreePath>();

  constructor(
    private readonly edited: ReadonlyMap<TreePath, Edited>,
    private readonly base: TreeReader,
    private readonly result: TreeReader,
  ) {}

  async run(): Promise<void> {
    for (const [path, { before, claims, content }] of this.edited) {
      if (before) await this.#takeBaseGroup(path, before);
      if (content === undefined) continue;
      this.#say(path, claims);
      for (const other of claims)
        if ((await this.#contentAt(other)) === content) this.#groups.join(path, other);
    }
  }

  async corrections(): Promise<LinkableEntry[]> {
    const wrong = [...this.#groups.wanted()].filter(
      ([path, wanted]) => !samePaths(this.#said.get(path)!, wanted),
    );
    const entries: LinkableEntry[] = [];
    for (const [path, wanted] of wrong.sort(([a], [b]) => comparePaths(a, b)))
      entries.push(withLinks(await this.#linkableAt(path), wanted));
    return entries;
  }

  #say(path: TreePath, named: Paths): void {
    this.#groups.add(path);
    this.#said.set(path, named);
  }

  /** Links the members of a group of the base that were not edited; one of them is `path`, which named `named`. */
  async #takeBaseGroup(path: TreePath, named: Paths): Promise<void> {
    const isFirst = comparePaths(path, named[0]!) < 0;
    const first = isFirst ? path : named[0]!;
    if (this.#taken.has(first)) return;
    this.#taken.add(first);
    const others = isFirst ? named : await this.#othersOf(first);
    const untouched = [first, ...others].filter((member) => !this.edited.has(member));
    for (const member of untouched) {
      this.#say(member, member === first ? others : [first]);
      this.#groups.join(member, untouched[0]!);
    }
  }

  async #othersOf(first: TreePath): Promise<Paths> {
    const place = await this.base.find(first);
    return (place && linksAt(place.range, place.index)) ?? [];
  }

  /** What a path that an edit names holds in the end. An unedited one brings the rest of its group along. */
  async #contentAt(path: TreePath): Promise<string | undefined> {
    const edited = this.edited.get(path);
    if (edited) return edited.content;
    const place = await this.result.find(path);
    if (!place || !isLinkable({ type: place.range.typeAt(place.index) })) return undefined;
    const named = linksAt(place.range, place.index);
    if (named) await this.#takeBaseGroup(path, named);
    else this.#say(path, NONE);
    return contentAt(place.range, place.index);
  }

  async #linkableAt(path: TreePath): Promise<LinkableEntry> {
    const place = await this.result.find(path);
    const entry = place?.range.entryAt(place.index);
    if (entry && isLinkable(entry)) return entry;
    throw damaged(
      "tree",
      `a hard link names ${JSON.stringify(textOf(path))}, which cannot have several names`,
    );
  }
}

function linksAt(range: Range, index: number): Paths | undefined {
  return range.extrasAt(index)?.hardLinks;
}

function contentOf(entry: LinkableEntry): string {
  return entry.type === EntryType.symlink ? `to ${entry.target}` : `${entry.sha256} ${entry.sizeBytes}`;
}

function contentAt(range: Range, index: number): string {
  if (range.typeAt(index) === EntryType.symlink) return `to ${range.targetAt(index)}`;
  return `${range.sha256At(index)!} ${range.sizeAt(index)}`;
}

/** Other paths, each once, sorted. @throws {DatasetError} `bad-input` for what is no path */
function tidied({ path, hardLinks = NONE }: LinkableEntry): Paths {
  for (const other of hardLinks) checkPath(other);
  return [...new Set(hardLinks)].filter((other) => other !== path && other !== "").sort(comparePaths);
}

function withLinks(entry: LinkableEntry, hardLinks: Paths): LinkableEntry {
  return { ...entry, hardLinks: hardLinks.length > 0 ? hardLinks : undefined };
}
