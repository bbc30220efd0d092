/** Versions that were deleted: what is left of them is their label, which nobody is given again. */
import type { Kysely } from "kysely";

import { DatasetError } from "../errors.js";
import { canonicalLabel, compareLabels, nextLabel } from "./label.js";
import type { Tables } from "./schema.js";
import { findByLabel, highestLabel, isFinished, labelColumns } from "./version-row.js";

export async function isDeleted(db: Kysely<Tables>, versionId: string): Promise<boolean> {
  const row = db.selectFrom("deletedVersions").select("versionId").where("versionId", "=", versionId);
  return (await row.executeTakeFirst()) !== undefined;
}

/** Deletes a version, known or not; an unfinished one of another id that has its label is given the next. In a transaction. */
export async function buryVersion(
  db: Kysely<Tables>,
  { id, datasetId, label }: { id: string; datasetId: string; label: string },
): Promise<void> {
  const { canonicalLabel, labelOrder } = labelColumns(label);
  await db.deleteFrom("versions").where("id", "=", id).execute();
  await db.deleteFrom("keptAmendments").where("versionId", "=", id).execute();
  await db
    .insertInto("deletedVersions")
    .values({ versionId: id, datasetId, label, canonicalLabel, labelOrder, deletedAtMs: Date.now() })
    .onConflict((known) => known.doNothing())
    .execute();
  const owner = await findByLabel(db, datasetId, label);
  if (!owner || isFinished(owner)) return;
  const next = labelColumns(nextLabel(await highestEverUsed(db, datasetId)));
  await db.updateTable("versions").set(next).where("id", "=", owner.id).execute();
}

/** The highest label that a version of a dataset has or had. */
export async function highestEverUsed(db: Kysely<Tables>, datasetId: string): Promise<string | undefined> {
  const living = await highestLabel(db, datasetId);
  const deleted = await db
    .selectFrom("deletedVersions")
    .select("label")
    .where("datasetId", "=", datasetId)
    .orderBy("labelOrder", "desc")
    .limit(1)
    .executeTakeFirst();
  if (living === undefined || deleted === undefined) return living ?? deleted?.label;
  return compareLabels(living, deleted.label) < 0 ? deleted.label : living;
}

/** @throws {DatasetError} `conflict` */
export async function checkNotDeleted(db: Kysely<Tables>, datasetId: string, label: string): Promise<void> {
  const deleted = await db
    .selectFrom("deletedVersions")
    .select("label")
    .where("datasetId", "=", datasetId)
    .where("canonicalLabel", "=", canonicalLabel(label))
    .executeTakeFirst();
  if (!deleted) return;
  const what = `version "${deleted.label}"`;
  const message = `Cannot take the label "${label}": the ${what} was deleted, and its label is not given again`;
  throw new DatasetError("conflict", { what }, message);
}
