/** Deletes the sources of external files that only one version links to. Everything else about links is in `remote/links/`. */
import { rm } from "node:fs/promises";
import { EntryType, type LinkEntry } from "../manifest/entry.js";
import { DatasetError, messageOf } from "../errors.js";
import { bufferOf, ROOT } from "../paths.js";
import { bytesOfFileUrl } from "../remote/links/file-url.js";
import { decodedText, schemeOf } from "../remote/links/link-url.js";
import { openRemote } from "../remote/open.js";
import type { VersionRow } from "../catalog/catalog.js";
import { listingOf } from "./listing.js";
import { below } from "./select-entries.js";
import { openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

export interface DeletedSource {
  url: string;
  /** `kept`: another version links to it, or it is no longer what was linked. */
  state: "deleted" | "kept" | "failed";
  /** Why it was not deleted, in words; empty where it was. */
  problem: string;
}

/** The links of a version whose URLs no other finished version of the catalog has. Costs reading every version that holds links. */
export async function ownLinks(workspace: Workspace, versions: readonly VersionRow[]): Promise<LinkEntry[]> {
  const own = new Map<string, LinkEntry>();
  for (const version of versions)
    for (const link of await linksOf(workspace, version)) own.set(link.url, link);
  if (own.size === 0) return [];
  const ids = new Set(versions.map(({ id }) => id));
  const catalog = await workspace.catalog();
  for (const dataset of await catalog.listDatasets({ archived: true }))
    for (const other of await catalog.listVersions(dataset.id, { states: ["completed", "published"] }))
      if (!ids.has(other.id)) for (const { url } of await linksOf(workspace, other)) own.delete(url);
  return [...own.values()];
}

/** Deletes each source that is still what was linked; what happened to each is in the answer. */
export async function deleteSources(
  workspace: Workspace,
  links: readonly LinkEntry[],
): Promise<DeletedSource[]> {
  const results: DeletedSource[] = [];
  for (const link of links) results.push(await deleteSource(workspace, link));
  return results;
}

async function linksOf(workspace: Workspace, version: VersionRow): Promise<LinkEntry[]> {
  const cache = await workspace.cache();
  const tree = await openVersionTree(workspace, version);
  if (tree.root.totals.links === 0) return [];
  const links: LinkEntry[] = [];
  for await (const entry of below(listingOf(cache, tree), ROOT))
    if (entry.type === EntryType.link) links.push(entry);
  return links;
}

async function deleteSource(workspace: Workspace, link: LinkEntry): Promise<DeletedSource> {
  const { url } = link;
  try {
    const state = await workspace.links().check(link);
    if (state === "missing") return { url, state: "kept", problem: "it is gone already" };
    if (state === "changed") return { url, state: "kept", problem: "it has changed since it was linked" };
    await remove(url);
    return { url, state: "deleted", problem: "" };
  } catch (error) {
    return { url, state: "failed", problem: messageOf(error) };
  }
}

async function remove(url: string): Promise<void> {
  const scheme = schemeOf(url);
  if (scheme === "file") return rm(bufferOf(bytesOfFileUrl(url)));
  if (scheme === "http" || scheme === "https") throw notDeletable(url);
  const folder = new URL(url);
  const slash = folder.pathname.lastIndexOf("/");
  const name = decodedText(folder.pathname.slice(slash + 1));
  folder.pathname = folder.pathname.slice(0, slash);
  const remote = await openRemote(folder.href);
  await remote.delete(name).finally(() => remote.close());
}

function notDeletable(url: string): DatasetError<"unsupported"> {
  const message = `Cannot delete "${url}": web servers are only read`;
  return new DatasetError("unsupported", { what: url }, message);
}
