/**
 * Walks a local folder and says what of it is to be taken: by wildcards, ignore files, and what a version can hold.
 * Touches no draft; `stage-folder.ts` stages what comes from here.
 */
import { EntryType } from "../manifest/entry.js";
import { RESERVED_NAME, textOf } from "../paths.js";
import { type IgnoreRules, isIgnored, rulesIn } from "./ignore-file.js";
import { type LocalEntry, type SpecialFile, followLink, readLocalDirectory } from "./local-folder.js";
import type { Skipped } from "./stage-counts.js";
import type { Wildcards } from "./wildcard.js";

export interface WalkOptions {
  /** What is asked for, held against paths below the folder. */
  wildcards: Wildcards;
  /** Whether a symbolic link stands for what it leads to. Default: it is kept as it is. */
  symlinks?: "keep" | "follow" | undefined;
  /** Default true: what a `.varveignore` names is left out. */
  ignoreFiles?: boolean | undefined;
  /** Whether the name `.varve` is reserved here: at the root of a dataset. */
  isRoot: boolean;
  /** Real paths, byte strings, of folders to leave out: varve's own, which would come to hold themselves. Default: none. */
  leaveOut?: ReadonlySet<string> | undefined;
  /** Told of what cannot be taken. */
  onSkipped: (skipped: Skipped) => void;
}

/** What is taken of one folder: files, and the folders below it that are walked next. */
export interface WalkedFolder {
  /** Absolute, a byte string. */
  from: string;
  /** Below where the walk began. */
  relative: string;
  /** Whether it is taken itself, not only something in it. */
  isTaken: boolean;
  entries: LocalEntry[];
  /** Names of what is there and cannot be read. */
  outOfReach: ReadonlySet<string>;
  /** Whether a folder below is taken itself. */
  takesFolder: (entry: LocalEntry) => boolean;
}

/** A folder being walked, with what holds in it. */
interface Place {
  from: string;
  relative: string;
  isTaken: boolean;
  rules: IgnoreRules;
  /** This folder and those above, where links are followed. */
  above: readonly string[];
}

/** Each folder before those in it. @param top The real path of the folder, a byte string. */
export function* walkFolder(top: string, options: WalkOptions): Generator<WalkedFolder> {
  const isTaken = options.wildcards.names("", "folder");
  // What is still to come, the next one last: folders may lie in each other deeper than calls may.
  const ahead: Place[] = [{ from: top, relative: "", isTaken, rules: undefined, above: [top] }];
  for (let place = ahead.pop(); place; place = ahead.pop()) {
    const { walked, inside } = walk(place, options);
    yield walked;
    ahead.push(...inside.reverse());
  }
}

function walk(place: Place, options: WalkOptions): { walked: WalkedFolder; inside: Place[] } {
  const { from, relative, isTaken } = place;
  const found = readLocalDirectory(from);
  const rules = options.ignoreFiles === false ? undefined : rulesIn(from, relative, place.rules);
  const here = { ...place, rules };
  const entries = found.flatMap((entry) => taken(entry, here, options));
  const takesFolder = ({ name }: LocalEntry) =>
    isTaken || options.wildcards.names(below(relative, name), "folder");
  const outOfReach = new Set(namesOutOfReach(found));
  const folders = entries.filter(({ type }) => type === EntryType.directory);
  const inside = folders.map((entry) => ({
    from: entry.path,
    relative: below(relative, entry.name),
    isTaken: takesFolder(entry),
    rules,
    above: options.symlinks === "follow" ? [...place.above, entry.path] : [],
  }));
  return { walked: { from, relative, isTaken, entries, outOfReach, takesFolder }, inside };
}

function taken(found: LocalEntry | SpecialFile, place: Place, options: WalkOptions): LocalEntry[] {
  const path = below(place.relative, found.name);
  const { wildcards } = options;
  const isNamed = (kind: "file" | "folder") => place.isTaken || wildcards.names(path, kind);
  const entry = options.symlinks === "follow" ? followLink(found) : found;
  const kind = entry.type === EntryType.directory ? "folder" : "file";
  if (isIgnored(place.rules, path, kind)) return [];
  if (!isNamed(kind) && !(kind === "folder" && wildcards.mayNameBelow(path))) return [];
  const reason = reasonToSkip(entry, place, options);
  if (reason === undefined) return [entry as LocalEntry];
  options.onSkipped({ path: textOf(found.path), reason });
  return [];
}

function namesOutOfReach(found: readonly (LocalEntry | SpecialFile)[]): string[] {
  return found.flatMap((entry) => (entry.type === "special" && entry.isOutOfReach ? [entry.name] : []));
}

function reasonToSkip(
  entry: LocalEntry | SpecialFile,
  { relative, above }: Place,
  { isRoot, leaveOut }: WalkOptions,
): string | undefined {
  if (isRoot && relative === "" && entry.name === RESERVED_NAME) return "a reserved name at a dataset's root";
  if (leaveOut?.has(entry.path)) return "a folder of varve's own";
  if (entry.type === "special") return entry.reason;
  if (entry.type === EntryType.directory && above.includes(entry.path))
    return "a link to a folder it lies in";
  return undefined;
}

function below(relative: string, name: string): string {
  return relative === "" ? name : `${relative}/${name}`;
}
