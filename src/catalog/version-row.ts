/** Versions as rows: what callers see of one, and the look-ups that reading and changing share. */
import type { Kysely } from "kysely";

import { DatasetError } from "../errors.js";
import { canonicalLabel, isPrerelease, labelOrder } from "./label.js";
import type { Tables, VersionState, VersionsTable } from "./schema.js";

/** One version of the catalog. Units: `schema.ts`. */
export type VersionRow = Omit<VersionsTable, "labelOrder" | "prerelease">;

export const VERSION_COLUMNS = [
  "id",
  "datasetId",
  "label",
  "canonicalLabel",
  "state",
  "description",
  "createdBy",
  "createdAtMs",
  "completedAtMs",
  "remoteId",
  "rootKey",
  "rootHash",
  "rootBytes",
  "treeDigest",
  "contentDigest",
  "files",
  "bytes",
  "added",
  "modified",
  "metadataChanged",
  "removed",
  "renamed",
  "archived",
] as const satisfies readonly (keyof VersionRow)[];

/** States in which a version never changes. */
export const FINISHED: readonly VersionState[] = ["completed", "published"];

export function isFinished(version: { state: VersionState }): boolean {
  return FINISHED.includes(version.state);
}

/** The columns that follow from a label. @throws {DatasetError} `bad-input` */
export function labelColumns(label: string) {
  return {
    label,
    canonicalLabel: canonicalLabel(label) as string,
    labelOrder: labelOrder(label),
    prerelease: isPrerelease(label) ? 1 : 0,
  };
}

export function findVersion(db: Kysely<Tables>, id: string): Promise<VersionRow | undefined> {
  return db.selectFrom("versions").select(VERSION_COLUMNS).where("id", "=", id).executeTakeFirst();
}

/** @throws {DatasetError} `not-found` */
export async function requireVersion(db: Kysely<Tables>, id: string): Promise<VersionRow> {
  const version = await findVersion(db, id);
  if (version) return version;
  const what = `version "${id}"`;
  throw new DatasetError("not-found", { what }, `Cannot find the ${what}: the catalog does not know it`);
}

/** The version whose label means the same as `label`. @throws {DatasetError} `bad-input` */
export function findByLabel(
  db: Kysely<Tables>,
  datasetId: string,
  label: string,
): Promise<VersionRow | undefined> {
  return db
    .selectFrom("versions")
    .select(VERSION_COLUMNS)
    .where("datasetId", "=", datasetId)
    .where("canonicalLabel", "=", canonicalLabel(label))
    .executeTakeFirst();
}

/** The highest label of a dataset, of a version in any state. */
export async function highestLabel(db: Kysely<Tables>, datasetId: string): Promise<string | undefined> {
  const highest = await db
    .selectFrom("versions")
    .select("label")
    .where("datasetId", "=", datasetId)
    .orderBy("labelOrder", "desc")
    .limit(1)
    .executeTakeFirst();
  return highest?.label;
}
