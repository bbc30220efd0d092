/**
 * Stages removals: a path means the file, or the folder with all below it; a wildcard means whatever it matches; a URL
 * the links that lead there.
 */
import { DatasetError } from "../errors.js";
import { EntryType } from "../manifest/entry.js";
import { type TreePath, ROOT, pathOfText } from "../paths.js";
import { normalizeLinkUrl } from "../remote/links/link-url.js";
import type { DraftTree } from "./draft-tree.js";
import { matcherOf } from "./wildcard.js";

const WILDCARD = /[*?[{]/;

/** Gives how many files and links are no more. @throws {DatasetError} `path-missing` when something matches nothing */
export async function removeMatching(tree: DraftTree, patterns: readonly string[]): Promise<number> {
  let removed = 0;
  for (const pattern of patterns) {
    const paths = await pathsOf(tree, pattern);
    if (paths.length === 0) throw nothingMatches(pattern);
    for (const path of paths) removed += await tree.remove(path);
  }
  return removed;
}

/**
 * Stages the removal of every link that leads to one of these URLs, or into one that is a folder; gives how many.
 * @throws {DatasetError} `path-missing` when there is none; `bad-input` for what is no URL
 */
export async function removeLinks(tree: DraftTree, urls: readonly string[]): Promise<number> {
  let removed = 0;
  for (const url of urls) {
    const paths = await linksTo(tree, normalizeLinkUrl(url));
    if (paths.length === 0) throw nothingMatches(url);
    for (const path of paths) removed += await tree.remove(path);
  }
  return removed;
}

async function linksTo(tree: DraftTree, url: string): Promise<TreePath[]> {
  const { folder, settings } = partsOf(url);
  const leadsThere = (other: string) =>
    other === url ||
    (folder.endsWith("/") && other.startsWith(folder) && partsOf(other).settings === settings);
  const found: TreePath[] = [];
  for await (const entry of tree.below(ROOT))
    if (entry.type === EntryType.link && leadsThere(entry.url)) found.push(entry.path);
  return found;
}

function partsOf(url: string): { folder: string; settings: string } {
  const [folder = "", settings = ""] = url.split("?");
  return { folder, settings };
}

/** A path that exists is taken literally even if it looks like a wildcard. */
async function pathsOf(tree: DraftTree, pattern: string): Promise<TreePath[]> {
  const literal = pathOfText(pattern);
  if (await tree.get(literal)) return [literal];
  if (!WILDCARD.test(pattern)) return [];
  const matches = matcherOf([pattern.replace(/^\/+/, "")]);
  const found: TreePath[] = [];
  for await (const { path } of tree.below(ROOT)) if (matches(path)) found.push(path);
  return found;
}

function nothingMatches(pattern: string): DatasetError<"path-missing"> {
  return new DatasetError(
    "path-missing",
    { path: pattern },
    `Cannot remove "${pattern}": the draft has no such path and nothing matches it`,
  );
}
