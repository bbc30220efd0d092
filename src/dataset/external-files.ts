/**
 * Stages external files: entries that say where bytes lie and what proves that they are unchanged. The bytes stay where
 * they are. What a URL leads to, and how it is read, `remote/links/` knows.
 */
import type { Sha256 } from "../content/chunk.js";
import { mapInOrder } from "../content/in-order.js";
import { DatasetError } from "../errors.js";
import { EntryType, type LinkEntry } from "../manifest/entry.js";
import { RESERVED_NAME, type TreePath, checkName, checkPath, joinPath } from "../paths.js";
import { hashSource } from "../remote/links/hash.js";
import type { Links } from "../remote/links/links.js";
import { nameInUrl, normalizeLinkUrl } from "../remote/links/link-url.js";
import type { ListedSource, SourceInfo } from "../remote/links/source.js";
import type { DraftTree } from "./draft-tree.js";
import { effectOf } from "./effect.js";
import type { OptionNames } from "./known-options.js";
import { type StageCounts, newCounts } from "./stage-counts.js";
import { Effect } from "./staging.js";
import { type Patterns, wildcardsOf } from "./wildcard.js";

export interface LinkOptions {
  /** Folder inside the dataset. Default: its root. */
  to?: string | undefined;
  /** Of folders: what to take, held against paths below the folder; all when there is none. What each pattern means: `docs/wildcards.md`. */
  wildcards?: Patterns | undefined;
  /** Of folders: whether what lies in folders below is taken too. Default true. */
  recursive?: boolean | undefined;
  /** Takes sources too that have nothing to prove that they are unchanged. Default false: such a source is refused. */
  unpinned?: boolean | undefined;
  /** Reads all bytes and keeps their SHA-256. Default false. */
  hash?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export const LINK_OPTIONS: OptionNames<LinkOptions> = {
  to: true,
  wildcards: true,
  recursive: true,
  unpinned: true,
  hash: true,
  signal: true,
};

/** A source, and its place below the folder it goes to. */
type Found = Pick<ListedSource, "path"> & SourceInfo & { sha256?: Sha256 };

const LINK_MODE = 0o644;
/** Sources that are read at once for their hashes. */
const HASHED_AT_ONCE = 4;

/**
 * Stages what is at each URL: a file under its own name, or all files of a folder.
 * @throws {DatasetError} `not-found`, `bad-input`, `unsupported`; what the store throws
 */
export async function stageLinks(
  tree: DraftTree,
  links: Links,
  urls: readonly string[],
  to: TreePath,
  options: LinkOptions = {},
): Promise<StageCounts> {
  const counts = newCounts();
  for (const url of urls.map(normalizeLinkUrl)) {
    const found = sourcesAt(links, url, options);
    const hashed = mapInOrder(found, HASHED_AT_ONCE, (source) => withHash(links, source, options));
    for await (const source of hashed) {
      options.signal?.throwIfAborted();
      await stageLink(tree, source, to, counts, options);
    }
  }
  return counts;
}

async function* sourcesAt(links: Links, url: string, options: LinkOptions): AsyncGenerator<Found> {
  const { signal, recursive } = options;
  const source = await links.look(url, { signal });
  if (source) {
    const name = nameInUrl(url);
    if (name === "") throw namesNoFile(url);
    yield { ...source, path: checkName(name) };
    return;
  }
  const wildcards = wildcardsOf(options.wildcards, { recursive });
  const folder = url.replace(/\/*(\?|$)/, "/$1");
  let count = 0;
  for await (const listed of links.list(folder, { signal })) {
    count++;
    if (wildcards.takes(listed.path)) yield listed;
  }
  if (count === 0) throw nothingAt(url);
}

/** With the pin that goes with each request, what is hashed is what is pinned. */
async function withHash(links: Links, source: Found, { hash, signal }: LinkOptions): Promise<Found> {
  if (!hash) return source;
  const { url, sizeBytes, pins } = source;
  const sha256 = await hashSource(links, { url, sizeBytes, pin: pins[0] ?? "" }, { signal });
  return { ...source, sha256 };
}

async function stageLink(
  tree: DraftTree,
  source: Found,
  to: TreePath,
  counts: StageCounts,
  { unpinned = false }: LinkOptions,
): Promise<void> {
  const path = placeOf(source, to);
  if (path === undefined) {
    counts.skipped.push({ path: source.url, reason: "at a path that a version cannot hold" });
    return;
  }
  if (source.pins.length === 0 && !unpinned) throw nothingToPin(source.url);
  counts.files++;
  const existing = await tree.get(path);
  const entry = entryOf(source, path);
  const effect = effectOf(existing, entry);
  if (effect === Effect.none) counts.unchanged++;
  else if (effect === Effect.metadata) counts.metadata++;
  else counts[existing ? "modified" : "added"]++;
  if (effect !== Effect.none) await tree.put(entry, effect);
}

/** Undefined for a name that a version cannot hold. */
function placeOf({ path }: Found, to: TreePath): TreePath | undefined {
  const place = joinPath(to, path);
  if (place === RESERVED_NAME || place.startsWith(`${RESERVED_NAME}/`)) return undefined;
  try {
    return checkPath(place);
  } catch {
    return undefined;
  }
}

function entryOf(
  { url, sizeBytes, pins, modifiedMs = Date.now(), sha256 }: Found,
  path: TreePath,
): LinkEntry {
  const mtimeSec = Math.floor(modifiedMs / 1000);
  return {
    type: EntryType.link,
    path,
    mode: LINK_MODE,
    mtimeSec,
    mtimeNsec: (modifiedMs - mtimeSec * 1000) * 1_000_000,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    sizeBytes,
    url,
    pin: pins[0] ?? "",
    ...(sha256 !== undefined && { sha256 }),
  };
}

function nothingAt(url: string): DatasetError<"not-found"> {
  return new DatasetError("not-found", { what: url }, `Cannot link to "${url}": nothing is there`);
}

function namesNoFile(url: string): DatasetError<"bad-input"> {
  const message = `Cannot link to "${url}": it names no file, and web servers list no folders; name the files`;
  return new DatasetError("bad-input", { value: url }, message);
}

function nothingToPin(url: string): DatasetError<"unsupported"> {
  const message = `Cannot link to "${url}": its server tells neither an ETag nor when it was modified, so a change would go unseen; --unpinned takes it all the same`;
  return new DatasetError("unsupported", { what: url }, message);
}
