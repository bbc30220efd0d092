/** Walks a folder in the order of keys, which is not the order of names: `a-b` comes before `a/b`. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { errnoOf } from "../../errors.js";
import { ASIDE_FOLDER } from "./writes.js";
import { KEY_MAX_BYTES, isKeyComponent } from "../key.js";
import type { ObjectInfo, ObjectKey } from "../remote.js";

/** Files looked up at once; Node has four threads for it. */
const STATS_AT_ONCE = 32;

/**
 * Every file below `root` whose key starts with `prefix` and comes after `after`, in bytewise order of keys. One
 * folder at a time is held in memory. Files whose names are no keys are not objects. Links are followed; a loop of
 * them ends where keys do.
 */
export async function* listFiles(root: string, prefix: string, after = ""): AsyncGenerator<ObjectInfo> {
  const wanted = (key: string) =>
    key.endsWith("/")
      ? (key.startsWith(prefix) || prefix.startsWith(key)) && (key > after || after.startsWith(key))
      : key.startsWith(prefix) && key > after;
  const inside = async (folder: string) => (await keysIn(root, folder)).filter(wanted).reverse();

  // What is still to come, the next one last. Folders end with a slash.
  const ahead = await inside(prefix.slice(0, prefix.lastIndexOf("/") + 1));
  while (ahead.length > 0) {
    const files = takeFiles(ahead);
    const infos = await Promise.all(files.map((key) => infoOf(root, key)));
    for (const info of infos) if (info) yield info;
    if (files.length === 0) ahead.push(...(await inside(ahead.pop() ?? "")));
  }
}

function takeFiles(ahead: string[]): ObjectKey[] {
  const files: ObjectKey[] = [];
  while (files.length < STATS_AT_ONCE && ahead.at(-1)?.endsWith("/") === false) files.push(ahead.pop() ?? "");
  return files;
}

/** The keys of files and, with a slash after them, of folders in the folder `folder` (`""` or `a/b/`), sorted. */
async function keysIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(noFolder);
  const keys: string[] = [];
  for (const entry of entries) {
    const key = folder + entry.name;
    if (!isKeyComponent(entry.name) || key.length > KEY_MAX_BYTES || key === ASIDE_FOLDER) continue;
    const type = entry.isSymbolicLink() ? await stat(join(root, key)).catch(() => undefined) : entry;
    if (type?.isDirectory()) keys.push(`${key}/`);
    else if (type?.isFile()) keys.push(key);
  }
  return keys.sort();
}

/** A folder that is not there, or is an object, holds nothing; nor does one deleted during the walk. */
function noFolder(error: unknown): never[] {
  if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return [];
  throw error;
}

/** Undefined for an object deleted since its folder was read. */
async function infoOf(root: string, key: ObjectKey): Promise<ObjectInfo | undefined> {
  try {
    const { size, mtimeMs } = await stat(join(root, key));
    return { key, sizeBytes: size, modifiedMs: Math.floor(mtimeMs) };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
