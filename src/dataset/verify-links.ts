/** Whether the sources of a version's links are still what was linked. Costs a request for each, and reads no bytes unless asked. */
import { mapInOrder } from "../content/in-order.js";
import { isDatasetError, messageOf } from "../errors.js";
import { type Entry, EntryType, type LinkEntry } from "../manifest/entry.js";
import type { TreePath } from "../paths.js";
import { hashSource } from "../remote/links/hash.js";
import type { Links } from "../remote/links/links.js";

export interface VerifyLinksOptions {
  /** Reads the bytes of links whose SHA-256 is known, and compares. Default false. */
  hash?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** `failed`: it could not be found out, as when a server does not answer. */
export type LinkState = "same" | "changed" | "missing" | "failed";

/** A link whose source is not what was linked, or not to be reached. */
export interface Drift {
  path: TreePath;
  url: string;
  state: Exclude<LinkState, "same">;
  /** In words, of what failed. */
  problem: string;
}

export interface VerifiedLinks {
  links: number;
  /** Those of which only the size could be looked at. */
  unpinned: number;
  drifted: Drift[];
}

/** Sources looked at together. */
const AT_ONCE = 16;

export async function verifyLinks(
  entries: AsyncIterable<Entry>,
  links: Links,
  options: VerifyLinksOptions = {},
): Promise<VerifiedLinks> {
  const verified: VerifiedLinks = { links: 0, unpinned: 0, drifted: [] };
  const checked = mapInOrder(linksOf(entries), AT_ONCE, (entry) => check(links, entry, options));
  for await (const { entry, state, problem } of checked) {
    verified.links++;
    if (entry.pin === "") verified.unpinned++;
    if (state !== "same") verified.drifted.push({ path: entry.path, url: entry.url, state, problem });
  }
  return verified;
}

async function* linksOf(entries: AsyncIterable<Entry>): AsyncGenerator<LinkEntry> {
  for await (const entry of entries) if (entry.type === EntryType.link) yield entry;
}

async function check(
  links: Links,
  entry: LinkEntry,
  { hash = false, signal }: VerifyLinksOptions,
): Promise<{ entry: LinkEntry; state: LinkState; problem: string }> {
  signal?.throwIfAborted();
  try {
    const state = await links.check(entry, { signal });
    const reads = hash && state === "same" && entry.sha256 !== undefined;
    const isSame = !reads || (await hashSource(links, entry, { signal })) === entry.sha256;
    return { entry, state: isSame ? state : "changed", problem: "" };
  } catch (error) {
    if (isDatasetError(error, "cancelled")) throw error;
    const state = isDatasetError(error, "source-changed") ? "changed" : "failed";
    return { entry, state, problem: messageOf(error) };
  }
}
