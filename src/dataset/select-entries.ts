/**
 * The entries that paths, wildcards and the URLs of links name in a version or a draft. A path that exists is that path,
 * even if it looks like a wildcard.
 */
import { DatasetError } from "../errors.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import { ROOT, type TreePath, pathOfText } from "../paths.js";
import { normalizeLinkUrl } from "../remote/links/link-url.js";
import { depthFirst } from "./depth-first.js";
import type { OptionNames } from "./known-options.js";
import { type Wildcards, isWildcard, partsOfPattern, textOfLiteral, wildcardsOf } from "./wildcard.js";

export interface SelectOptions {
  /** Default true. Else a folder stands for the files that lie in it, not for those in folders below. */
  recursive?: boolean | undefined;
}

export const SELECT_OPTIONS: OptionNames<SelectOptions> = { recursive: true };

/** What can be looked into: a version or a draft. */
export interface Listing {
  get(path: TreePath): Promise<Entry | undefined>;
  /** In order of names. */
  children(directory: TreePath): AsyncIterable<Entry> | Promise<Iterable<Entry>>;
}

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * What each of `texts` names. A folder stands for all below it, which is not given too.
 *
 * @throws {DatasetError} `path-missing` when one names nothing; `bad-input`
 */
export function selectEntries(
  listing: Listing,
  texts: readonly string[],
  { recursive = true }: SelectOptions = {},
): Promise<Entry[]> {
  return gathered(texts, (text) => entriesNamed(listing, text, recursive));
}

/** The links that lead to each of `urls`, which may be local paths; one that ends with `/` is the folder with all below it. */
export function selectLinks(listing: Listing, urls: readonly string[]): Promise<Entry[]> {
  return gathered(urls, (url) => linksTo(listing, normalizeLinkUrl(url)));
}

async function gathered(
  texts: readonly string[],
  entriesOf: (text: string) => AsyncIterable<Entry>,
): Promise<Entry[]> {
  const selected = new Map<TreePath, Entry>();
  for (const text of texts) {
    let count = 0;
    for await (const entry of entriesOf(text)) {
      count++;
      selected.set(entry.path, entry);
    }
    if (count === 0) throw nothingMatches(text);
  }
  return [...selected.values()];
}

/** Files, links and symbolic links among entries and below those that are folders, each once. */
export async function* filesOf(listing: Listing, entries: readonly Entry[]): AsyncIterable<Entry> {
  const given = new Set<TreePath>();
  for (const entry of entries)
    for await (const file of entry.type === EntryType.directory ? below(listing, entry.path) : [entry]) {
      if (file.type === EntryType.directory || given.has(file.path)) continue;
      given.add(file.path);
      yield file;
    }
}

/** Everything below a directory, parents before children. */
export function below(listing: Listing, directory: TreePath): AsyncIterable<Entry> {
  const inside = ({ type, path }: Entry) =>
    type === EntryType.directory ? listing.children(path) : undefined;
  return depthFirst(listing.children(directory), inside);
}

async function* entriesNamed(listing: Listing, text: string, recursive: boolean): AsyncIterable<Entry> {
  if (URL_LIKE.test(text)) yield* linksTo(listing, normalizeLinkUrl(text));
  else yield* entriesAt(listing, text, recursive);
}

async function* entriesAt(listing: Listing, text: string, recursive: boolean): AsyncIterable<Entry> {
  if (partsOfPattern(text).length === 0) throw namesNothing(text);
  const literal = (await entryAt(listing, text)) ?? (await entryAt(listing, textOfLiteral(text)));
  if (literal?.type === EntryType.directory && !recursive) yield* filesIn(listing, literal.path);
  else if (literal) yield literal;
  else if (isWildcard(text)) yield* matching(listing, ROOT, wildcardsOf(text, { recursive }));
}

/** With a `/` at its end only a folder is meant. */
async function entryAt(listing: Listing, text: string): Promise<Entry | undefined> {
  const entry = await listing.get(pathOfText(text));
  return text.endsWith("/") && entry?.type !== EntryType.directory ? undefined : entry;
}

async function* filesIn(listing: Listing, directory: TreePath): AsyncIterable<Entry> {
  for await (const entry of await listing.children(directory))
    if (entry.type !== EntryType.directory) yield entry;
}

async function* matching(listing: Listing, directory: TreePath, wildcards: Wildcards): AsyncIterable<Entry> {
  const isNamed = ({ type, path }: Entry) =>
    wildcards.names(path, type === EntryType.directory ? "folder" : "file");
  const inside = (entry: Entry) => {
    const { type, path } = entry;
    if (type !== EntryType.directory || isNamed(entry) || !wildcards.mayNameBelow(path)) return undefined;
    return listing.children(path);
  };
  for await (const entry of depthFirst(listing.children(directory), inside)) if (isNamed(entry)) yield entry;
}

async function* linksTo(listing: Listing, url: string): AsyncIterable<Entry> {
  const { folder, settings } = partsOf(url);
  const leadsThere = (other: string) =>
    other === url ||
    (folder.endsWith("/") && other.startsWith(folder) && partsOf(other).settings === settings);
  for await (const entry of below(listing, ROOT))
    if (entry.type === EntryType.link && leadsThere(entry.url)) yield entry;
}

function partsOf(url: string): { folder: string; settings: string } {
  const [folder = "", settings = ""] = url.split("?");
  return { folder, settings };
}

function namesNothing(text: string): DatasetError<"bad-input"> {
  const message = `Cannot take "${text}" for everything there is: "*" says that`;
  return new DatasetError("bad-input", { value: text }, message);
}

function nothingMatches(text: string): DatasetError<"path-missing"> {
  const message = `Cannot find "${text}": there is no such path, and nothing matches it`;
  return new DatasetError("path-missing", { path: text }, message);
}
