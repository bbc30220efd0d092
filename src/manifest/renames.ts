/** Finds, among the changes between two trees, what was only moved: by the hash of files, then by what directories held. */
import { type TreePath, nameOf, parentOf } from "../paths.js";
import type { Change } from "./diff.js";
import { type Entry, EntryType, type FileEntry, type LinkEntry } from "./entry.js";
import { comparePaths } from "./key.js";

/** What differs between two trees, by paths in the order of keys. A renamed path is in no other list. */
export interface TreeDiff {
  added: TreePath[];
  /** Content changed. */
  modified: TreePath[];
  /** Only mode, times, owner, attributes, hard links or holes changed. */
  metadata: TreePath[];
  removed: TreePath[];
  renamed: Rename[];
}

export interface Rename {
  from: TreePath;
  to: TreePath;
}

/**
 * Pairs removed with added files of the same bytes, and links of the same source: those of one name first, then of one
 * directory, then in order; empty files are never paired, nor symbolic links. A removed directory pairs with the added
 * one that all files renamed out of it went to.
 */
export function findRenames(changes: Iterable<Change>): TreeDiff {
  const paths: Record<Change["kind"], TreePath[]> = { added: [], modified: [], metadata: [], removed: [] };
  const removed: Entry[] = [];
  const added: Entry[] = [];
  for (const change of changes) {
    paths[change.kind].push(change.path);
    if (change.kind === "removed") removed.push(change.before);
    if (change.kind === "added") added.push(change.after);
  }
  const files = pairFiles(removed.filter(isMovable), added.filter(isMovable));
  const renamed = [...files, ...pairDirectories(removed, added, files)];
  return withoutRenamed(paths, renamed);
}

type Movable = FileEntry | LinkEntry;

function isMovable(entry: Entry): entry is Movable {
  return (entry.type === EntryType.file || entry.type === EntryType.link) && entry.sizeBytes > 0;
}

function contentOf(entry: Movable): string {
  return entry.type === EntryType.file ? entry.sha256 : `${entry.url}\n${entry.pin}\n`;
}

function pairFiles(removed: Movable[], added: Movable[]): Rename[] {
  const likeness: ((file: Movable) => string)[] = [
    (file) => contentOf(file) + nameOf(file.path),
    (file) => contentOf(file) + parentOf(file.path),
    contentOf,
  ];
  const renamed: Rename[] = [];
  let [from, to] = [removed, added];
  for (const alike of likeness) {
    const pairs = pairAlike(from, to, alike);
    const paired = new Set(pairs.flatMap((pair) => [pair.from, pair.to]));
    from = from.filter(({ path }) => !paired.has(path));
    to = to.filter(({ path }) => !paired.has(path));
    renamed.push(...pairs);
  }
  return renamed;
}

/** Pairs entries that are alike, in order, each once. */
function pairAlike(removed: Movable[], added: Movable[], alike: (file: Movable) => string): Rename[] {
  if (removed.length === 0) return [];
  const waiting = new Map<string, Movable[]>();
  for (const file of added.toReversed()) {
    const likeness = alike(file);
    const files = waiting.get(likeness);
    if (files) files.push(file);
    else waiting.set(likeness, [file]);
  }
  const renamed: Rename[] = [];
  for (const file of removed) {
    const match = waiting.get(alike(file))?.pop();
    if (match) renamed.push({ from: file.path, to: match.path });
  }
  return renamed;
}

/** Deepest first, so that a directory of directories follows where these went. */
function pairDirectories(removed: Entry[], added: Entry[], files: Rename[]): Rename[] {
  const isDirectory = ({ type }: Entry) => type === EntryType.directory;
  const free = new Set(added.filter(isDirectory).map(({ path }) => path));
  const destinations = new Destinations(files);
  const byDepth = removed.filter(isDirectory).map(({ path }) => ({ path, depth: path.split("/").length }));
  const renamed: Rename[] = [];
  for (const { path: from } of byDepth.sort((a, b) => b.depth - a.depth)) {
    const to = destinations.of(from);
    if (to === undefined || !free.delete(to)) continue;
    renamed.push({ from, to });
    destinations.note({ from, to });
  }
  return renamed;
}

/** Where what was renamed out of each directory went. */
class Destinations {
  /** Undefined for a directory whose contents went several ways. */
  readonly #ofDirectory = new Map<TreePath, TreePath | undefined>();

  constructor(renames: Rename[]) {
    for (const rename of renames) this.note(rename);
  }

  note({ from, to }: Rename): void {
    const [source, target] = [parentOf(from), parentOf(to)];
    const isFirst = !this.#ofDirectory.has(source);
    this.#ofDirectory.set(source, isFirst || this.#ofDirectory.get(source) === target ? target : undefined);
  }

  of(directory: TreePath): TreePath | undefined {
    return this.#ofDirectory.get(directory);
  }
}

function withoutRenamed(paths: Record<Change["kind"], TreePath[]>, renamed: Rename[]): TreeDiff {
  const moved = new Set(renamed.flatMap(({ from, to }) => [from, to]));
  const others = (list: TreePath[]) => list.filter((path) => !moved.has(path));
  renamed.sort((a, b) => comparePaths(a.from, b.from));
  return { ...paths, added: others(paths.added), removed: others(paths.removed), renamed };
}
