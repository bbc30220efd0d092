/** Walks a version and a folder side by side: what differs without reading a file, and which files have to be read to know. */
import type { Cache } from "../../cache/cache.js";
import type { Sha256 } from "../../content/chunk.js";
import { isDatasetError, messageOf } from "../../errors.js";
import { type Entry, EntryType } from "../../manifest/entry.js";
import type { Tree } from "../../manifest/tree.js";
import { RESERVED_NAME, ROOT, type TreePath, joinPath, textOf } from "../../paths.js";
import { checkSignal } from "../../remote/cancel.js";
import { type IgnoreRules, isIgnored, rulesIn } from "../ignore-file.js";
import { type LocalEntry, type SpecialFile, readLocalDirectory } from "../local-folder.js";
import type { FolderDifference } from "./verify-folder.js";

/** A file whose size is right. */
export interface SizedFile {
  path: TreePath;
  /** Absolute, a byte string. */
  from: string;
  sizeBytes: number;
  /** Undefined for an external file of which nobody knows it. */
  sha256: Sha256 | undefined;
}

/** One that has to be read. */
export type ToHash = SizedFile & { sha256: Sha256 };

export type Finding = ({ kind: "difference" } & FolderDifference) | ({ kind: "file" } & SizedFile);

type Found = LocalEntry | SpecialFile;

/** A folder of either side or of both. */
interface Place {
  path: TreePath;
  /** Undefined where the folder is missing. */
  from: string | undefined;
  isInVersion: boolean;
  rules: IgnoreRules;
}

/** Entries of one folder held at once. */
const BATCH = 1_000;

/** Costs the listing of both, and no reading of files. What a `.varveignore` leaves out is no extra file. */
export async function* compareFolder(
  cache: Cache,
  tree: Tree,
  top: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding> {
  const places: Place[] = [{ path: ROOT, from: top, isInVersion: true, rules: undefined }];
  for (let place = places.pop(); place; place = places.pop()) {
    checkSignal(signal, "verification of a folder");
    const here = listed(place);
    if (here instanceof Map) yield* comparePlace(cache, tree, place, here, places);
    else yield here;
  }
}

async function* comparePlace(
  cache: Cache,
  tree: Tree,
  place: Place,
  here: Map<string, Found>,
  places: Place[],
): AsyncGenerator<Finding> {
  const rules = place.from === undefined ? undefined : rulesIn(place.from, place.path, place.rules);
  if (place.isInVersion)
    for await (const entry of childrenOf(cache, tree, place.path)) {
      const name = entry.path.slice(place.path === ROOT ? 0 : place.path.length + 1);
      const found = here.get(name);
      here.delete(name);
      yield* compareEntry(entry, found);
      const from = found?.type === EntryType.directory ? found.path : undefined;
      if (entry.type === EntryType.directory)
        places.push({ path: entry.path, from, isInVersion: true, rules });
      else if (from !== undefined) places.push({ path: entry.path, from, isInVersion: false, rules });
    }
  for (const found of here.values()) {
    const path = joinPath(place.path, found.name);
    const isFolder = found.type === EntryType.directory;
    if (isIgnored(rules, path, isFolder ? "folder" : "file")) continue;
    yield { kind: "difference", path, state: "extra", problem: "" };
    if (isFolder) places.push({ path, from: found.path, isInVersion: false, rules });
  }
}

/** What the system has in a folder, by name; the difference that it cannot be told is. */
function listed({ path, from }: Place): Map<string, Found> | Finding {
  if (from === undefined) return new Map();
  try {
    const found = readLocalDirectory(from).filter(({ name }) => path !== ROOT || name !== RESERVED_NAME);
    return new Map(found.map((entry) => [entry.name, entry]));
  } catch (error) {
    if (!isDatasetError(error, "source-unreadable") && !isDatasetError(error, "not-found")) throw error;
    return { kind: "difference", path, state: "unreadable", problem: messageOf(error) };
  }
}

async function* childrenOf(cache: Cache, tree: Tree, path: TreePath): AsyncGenerator<Entry> {
  const { start, end } = await cache.complete(() => tree.children(path));
  for (let at = start; at < end; at += BATCH)
    yield* await cache.complete(() => [...tree.entries(at, Math.min(end, at + BATCH))]);
}

function* compareEntry(entry: Entry, found: Found | undefined): Generator<Finding> {
  const { path } = entry;
  const differs = (state: FolderDifference["state"], problem: string): Finding => {
    return { kind: "difference", path, state, problem };
  };
  const wanted = kindOf(entry);
  if (!found) yield differs("missing", "");
  else if (kindOf(found) !== wanted) yield differs("type", `${kindOf(found)}, not ${wanted}`);
  else if (entry.type === EntryType.symlink && found.type === EntryType.symlink) {
    if (entry.target !== found.target)
      yield differs("changed", `leads to "${textOf(found.target)}", not "${textOf(entry.target)}"`);
  } else if (isFile(entry) && found.type === EntryType.file) {
    const { sizeBytes, sha256 } = entry;
    if (found.sizeBytes !== sizeBytes) yield differs("changed", `${found.sizeBytes} bytes, not ${sizeBytes}`);
    else yield { kind: "file", path, from: found.path, sizeBytes, sha256 };
  }
}

function isFile(entry: Entry): entry is Extract<Entry, { sizeBytes: number }> {
  return entry.type === EntryType.file || entry.type === EntryType.link;
}

/** An external file lies in a folder as a file does. */
function kindOf(entry: { type: Entry["type"] } | SpecialFile): string {
  switch (entry.type) {
    case "special":
      return entry.reason;
    case EntryType.directory:
      return "a folder";
    case EntryType.symlink:
      return "a symbolic link";
    default:
      return "a file";
  }
}
