/** What there is of versions, told so that two moments can be compared, and whether each finished one is whole. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import type { Dataset as DatasetRow, VersionRow } from "../../src/catalog/catalog.js";
import { segmentKey } from "../../src/content/segment.js";
import { namesIn } from "../../src/daemon/state-file.js";
import { attachmentKey, attachmentSchema } from "../../src/dataset/attachments.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { isFinished, versionsOf } from "../../src/dataset/history.js";
import { listOverlays } from "../../src/dataset/overlays.js";
import { recordKey } from "../../src/dataset/record.js";
import { type DatasetId, textOfDataset } from "../../src/dataset/reference.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { openRoot } from "../../src/manifest/root.js";

export interface Picture {
  /** `project/name@label` to what tells whether it is the same version, for those that are finished. */
  finished: Record<string, string>;
  /** `project/name@label` of others. */
  unfinished: string[];
  /** Ids and files: of drafts, and of overlays. */
  leftOver: string[];
  /** Key to content of every record, in all remotes. */
  records: Record<string, string>;
}

/** Looks as a new process does, which also looks for versions whose commit was cut off. */
export async function pictureOf(workspace: Workspace): Promise<Picture> {
  const { home } = workspace;
  const drafts = namesIn(home.draftsDir);
  const picture: Picture = {
    finished: {},
    unfinished: [],
    leftOver: [...drafts, ...listOverlays(home).map(({ id }) => id)],
    records: {},
  };
  for (const { dataset, version } of await allVersions(workspace)) {
    const name = `${textOfDataset(dataset)}@${version.label}`;
    if (isFinished(version)) picture.finished[name] = `${version.treeDigest} ${version.contentDigest}`;
    else picture.unfinished.push(`${name} ${version.state}`);
  }
  for (const folder of await remoteFolders(workspace))
    for (const key of recordsBelow(folder)) picture.records[key] = readFileSync(join(folder, key), "utf8");
  return picture;
}

/**
 * What is wrong with finished versions, one line each. Reads every byte from the remotes, past the cache.
 *
 * @param seen Ids of versions whose bytes were read before; those read now are added.
 */
export async function problemsOf(workspace: Workspace, seen: Set<string>): Promise<string[]> {
  const problems = damageOfCatalog(workspace);
  const folders = await remoteFolders(workspace);
  const known = new Set<string>();
  for (const { dataset, version } of await allVersions(workspace)) {
    if (!isFinished(version)) continue;
    const name = `${textOfDataset(dataset)}@${version.label}`;
    known.add(recordKey(dataset.id as DatasetId, version.label));
    if (seen.has(version.id)) continue;
    seen.add(version.id);
    const { damaged } = await (await Dataset.get(version.id, { workspace })).verify();
    for (const { what, key, state } of damaged) problems.push(`${name}: ${what} ${key} is ${state}`);
    for (const key of besideTree(folders, dataset, version))
      if (!folders.some((folder) => existsSync(join(folder, key))))
        problems.push(`${name}: ${key} is missing`);
  }
  for (const folder of folders)
    for (const key of recordsBelow(folder))
      if (!known.has(key) && !isTombstone(join(folder, key))) problems.push(`${key} is no version`);
  return problems;
}

async function allVersions(workspace: Workspace): Promise<{ dataset: DatasetRow; version: VersionRow }[]> {
  const datasets = await (await workspace.catalog()).listDatasets();
  const versions = [];
  for (const dataset of datasets)
    for (const version of await versionsOf(workspace, dataset)) versions.push({ dataset, version });
  return versions;
}

function damageOfCatalog({ home }: Workspace): string[] {
  const db = new Database(home.catalogPath);
  try {
    const found = db.pragma("integrity_check", { simple: true }) as string;
    return found === "ok" ? [] : [`the catalog: ${found}`];
  } finally {
    db.close();
  }
}

async function remoteFolders(workspace: Workspace): Promise<string[]> {
  const remotes = await (await workspace.catalog()).listRemotes();
  return remotes.map(({ url }) => fileURLToPath(url)).filter((folder) => existsSync(folder));
}

function recordsBelow(folder: string): string[] {
  const datasets = join(folder, "datasets");
  if (!existsSync(datasets)) return [];
  return readdirSync(datasets, { recursive: true, encoding: "utf8" })
    .map((path) => `datasets/${path}`)
    .filter((path) => /\/versions\/[^/]+$/.test(path));
}

function isTombstone(path: string): boolean {
  return "deleted" in (JSON.parse(readFileSync(path, "utf8")) as object);
}

/** Keys of what belongs to a version beside ranges and packs. */
function* besideTree(
  folders: readonly string[],
  dataset: DatasetRow,
  version: VersionRow,
): Generator<string> {
  const key = recordKey(dataset.id as DatasetId, version.label);
  yield key;
  const read = (at: string) => folders.map((folder) => join(folder, at)).find((path) => existsSync(path));
  const record = read(key);
  if (record !== undefined) yield* attachmentsIn(JSON.parse(readFileSync(record, "utf8")));
  const root = read(version.rootKey!);
  if (root !== undefined) for (const { id } of openRoot(readFileSync(root)).segments) yield segmentKey(id);
}

function* attachmentsIn(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  const attachment = attachmentSchema.safeParse(value).data;
  if (attachment) yield attachmentKey(attachment.brotli?.sha256 ?? attachment.sha256);
  else for (const inner of Object.values(value)) yield* attachmentsIn(inner);
}
