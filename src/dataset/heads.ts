/** Finished versions that the latest does not contain: siblings made side by side, which only a merge brings together. */
import type { Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import { nameOfVersion } from "./history.js";
import { parseReference, splitReference, textOfDataset } from "./reference.js";
import type { Workspace } from "./workspace.js";

export interface Heads {
  latest: VersionRow;
  /** Without a finished child, and neither before nor after the latest; the lowest label first. */
  unmerged: VersionRow[];
}

/** The heads of a dataset as its catalog knows them; undefined where none is finished. Walks no history. */
export async function headsOf(workspace: Workspace, dataset: DatasetRow): Promise<Heads | undefined> {
  const catalog = await workspace.catalog();
  const latest = await catalog.latestVersion(dataset.id);
  if (!latest) return undefined;
  const others = (await catalog.finishedLeaves(dataset.id)).filter(({ id }) => id !== latest.id);
  if (others.length === 0) return { latest, unmerged: [] };
  // A pre-release, or a version whose low label was asked for, may come after the latest.
  const after = new Set((await catalog.descendantsOf(latest.id)).map(({ id }) => id));
  return { latest, unmerged: others.filter(({ id }) => !after.has(id)) };
}

/**
 * Tells the user of heads beside the latest version, where a reference leaves the choice of a version to varve. Gives
 * their names.
 */
export async function tellOfHeads(
  workspace: Workspace,
  reference: string,
  dataset: DatasetRow,
): Promise<string[]> {
  if (splitReference(reference).place !== undefined) return []; // It would cost every record of the dataset.
  const parsed = parseReference(reference);
  if ("id" in parsed || parsed.label !== undefined) return [];
  const heads = await headsOf(workspace, dataset);
  const words = heads && wordsOnHeads(dataset, heads);
  if (words !== undefined) workspace.notice(words);
  return heads?.unmerged.map((version) => nameOfVersion({ dataset, version })) ?? [];
}

/** What to say to who uses the latest version of a dataset that has other heads. */
export function wordsOnHeads(dataset: DatasetRow, { latest, unmerged }: Heads): string | undefined {
  const [first] = unmerged;
  if (!first) return undefined;
  const name = (version: VersionRow) => nameOfVersion({ dataset, version });
  const parents = [...unmerged, latest].map((version) => `--parent ${name(version)}`).join(" ");
  const merge = `varve create ${textOfDataset(dataset)} ${parents} --merge three-way, then varve finalize, joins what each changed; only where both changed a path the last parent wins`;
  return `${name(latest)} does not contain ${unmerged.map(name).join(", ")}: ${merge}`;
}
