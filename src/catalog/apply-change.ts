/**
 * What each kind of amendment does to the catalog. Every one sets some **fields** of a version or a dataset; a field keeps
 * the value of the amendment with the greatest stamp, so it does not matter in which order amendments come, or how often.
 */
import type { Kysely } from "kysely";

import type { Amendment, Change } from "./amendment.js";
import { isNameTaken, renameDataset } from "./dataset-names.js";
import { buryVersion, isDeleted } from "./deleted-versions.js";
import { appendEvent } from "./events.js";
import type { EventKind } from "./schema-of-events.js";
import { addAnnex, deleteMetadata, setMetadata } from "./annotations.js";
import type { Tables } from "./schema.js";
import { findVersion, isFinished } from "./version-row.js";

/** `waits`: the version it is about is not here, or not finished; or another dataset of this catalog has the name. */
export type Outcome = "applied" | "waits";

interface Applying {
  db: Kysely<Tables>;
  datasetId: string;
  /** Whether this change is the last word on a field of a version or of the dataset, as far as this catalog knows. */
  claims: (subjectId: string, field: string) => Promise<boolean>;
  /** Told of what has changed. */
  tell: (kind: EventKind, versionId: string | undefined, tag?: string) => Promise<void>;
}

type Appliers = {
  [Kind in Change["kind"]]: (applying: Applying, change: Change & { kind: Kind }) => Promise<Outcome>;
};

const APPLIERS: Appliers = {
  tag,
  publish,
  describe,
  archive,
  rename,
  delete: remove,
  metadata,
  annex,
  root,
  void: nothing,
};

/** Applies one amendment of a dataset, for who is in a transaction. */
export async function applyAmendment(db: Kysely<Tables>, amendment: Amendment): Promise<Outcome> {
  const { change, dataset: datasetId } = amendment;
  if (change.version !== undefined && change.kind !== "delete") {
    if (await isDeleted(db, change.version)) return "applied"; // Nothing is left to change.
    if (!(await isReady(db, datasetId, change.version))) return "waits";
  }
  const claims = (subjectId: string, field: string) => claim(db, amendment, subjectId, field);
  const tell: Applying["tell"] = (kind, versionId, tag) =>
    appendEvent(db, { kind, datasetId, versionId, tag });
  return apply({ db, datasetId, claims, tell }, change);
}

/** Applies a change to a version that no other catalog knows yet: its record will tell it. */
export async function applyToDraft(db: Kysely<Tables>, datasetId: string, change: Change): Promise<void> {
  await apply({ db, datasetId, claims: async () => true, tell: async () => undefined }, change);
}

function apply(applying: Applying, change: Change): Promise<Outcome> {
  const applier = APPLIERS[change.kind] as (applying: Applying, change: Change) => Promise<Outcome>;
  return applier(applying, change);
}

async function isReady(db: Kysely<Tables>, datasetId: string, versionId: string): Promise<boolean> {
  const version = await findVersion(db, versionId);
  return version !== undefined && version.datasetId === datasetId && isFinished(version);
}

async function claim(
  db: Kysely<Tables>,
  { id: amendmentId, stampMs, dataset: datasetId }: Amendment,
  subjectId: string,
  field: string,
): Promise<boolean> {
  const last = await db
    .selectFrom("amendedFields")
    .select(["stampMs", "amendmentId"])
    .where("subjectId", "=", subjectId)
    .where("field", "=", field)
    .executeTakeFirst();
  if (last && !isAfter({ stampMs, amendmentId }, last)) return false;
  await db
    .insertInto("amendedFields")
    .values({ datasetId, subjectId, field, stampMs, amendmentId })
    .onConflict((known) => known.columns(["subjectId", "field"]).doUpdateSet({ stampMs, amendmentId }))
    .execute();
  return true;
}

interface Stamp {
  stampMs: number;
  amendmentId: string;
}

function isAfter(one: Stamp, other: Stamp): boolean {
  if (one.stampMs !== other.stampMs) return one.stampMs > other.stampMs;
  return one.amendmentId > other.amendmentId;
}

async function tag(
  { db, datasetId, claims, tell }: Applying,
  { version, add, remove }: Change & { kind: "tag" },
): Promise<Outcome> {
  for (const word of new Set(remove))
    if (await claims(version ?? datasetId, `tag ${word}`)) await removeTag(db, datasetId, version, word);
  for (const word of new Set(add))
    if (await claims(version ?? datasetId, `tag ${word}`))
      if (await addTag(db, datasetId, version, word)) await tell("tagged", version, word);
  return "applied";
}

async function removeTag(
  db: Kysely<Tables>,
  datasetId: string,
  versionId: string | undefined,
  tag: string,
): Promise<void> {
  await (
    versionId === undefined
      ? db.deleteFrom("datasetTags").where("datasetId", "=", datasetId).where("tag", "=", tag)
      : db.deleteFrom("versionTags").where("versionId", "=", versionId).where("tag", "=", tag)
  ).execute();
}

/** Whether it was not there. */
async function addTag(
  db: Kysely<Tables>,
  datasetId: string,
  versionId: string | undefined,
  tag: string,
): Promise<boolean> {
  const added = await (
    versionId === undefined
      ? db
          .insertInto("datasetTags")
          .values({ datasetId, tag })
          .onConflict((known) => known.doNothing())
      : db
          .insertInto("versionTags")
          .values({ versionId, tag })
          .onConflict((known) => known.doNothing())
  ).executeTakeFirst();
  return (added.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Nothing unpublishes, so it does not matter which amendment was the last. */
async function publish({ db, tell }: Applying, { version }: Change & { kind: "publish" }): Promise<Outcome> {
  const { numUpdatedRows } = await db
    .updateTable("versions")
    .set({ state: "published" })
    .where("id", "=", version)
    .where("state", "=", "completed")
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await tell("published", version);
  return "applied";
}

async function describe(
  { db, claims }: Applying,
  { version, description }: Change & { kind: "describe" },
): Promise<Outcome> {
  if (await claims(version, "description"))
    await db.updateTable("versions").set({ description }).where("id", "=", version).execute();
  return "applied";
}

async function archive(
  { db, datasetId, claims, tell }: Applying,
  { version, archived }: Change & { kind: "archive" },
): Promise<Outcome> {
  if (!(await claims(version ?? datasetId, "archived"))) return "applied";
  const [before, after] = archived ? [0, 1] : [1, 0];
  const changed =
    version === undefined
      ? db
          .updateTable("datasets")
          .set({ archived: after })
          .where("id", "=", datasetId)
          .where("archived", "=", before)
      : db
          .updateTable("versions")
          .set({ archived: after })
          .where("id", "=", version)
          .where("archived", "=", before);
  const { numUpdatedRows } = await changed.executeTakeFirst();
  if (archived && numUpdatedRows > 0n) await tell("archived", version);
  return "applied";
}

async function rename(
  { db, datasetId, claims }: Applying,
  { project, name }: Change & { kind: "rename" },
): Promise<Outcome> {
  if (await isNameTaken(db, datasetId, { project, name })) return "waits";
  if (await claims(datasetId, "name")) await renameDataset(db, datasetId, { project, name });
  return "applied";
}

async function remove(
  { db, datasetId, claims }: Applying,
  change: Change & { kind: "delete" },
): Promise<Outcome> {
  if (await claims(change.version, "deleted"))
    await buryVersion(db, { id: change.version, datasetId, label: change.label });
  return "applied";
}

async function metadata(
  { db, claims }: Applying,
  { version, set, remove }: Change & { kind: "metadata" },
): Promise<Outcome> {
  for (const name of remove)
    if (await claims(version, `metadata ${name}`)) await deleteMetadata(db, version, name);
  for (const each of set)
    if (await claims(version, `metadata ${each.name}`))
      await setMetadata(db, version, { ...each, value: new Uint8Array(Buffer.from(each.value, "base64")) });
  return "applied";
}

/** Each value is claimed as a field of its own, so that it is added once however often it is told. */
async function annex(
  { db, claims }: Applying,
  { version, annex: kind, add }: Change & { kind: "annex" },
): Promise<Outcome> {
  if (await claims(version, `annex ${kind} ${add}`)) await addAnnex(db, version, kind, add);
  return "applied";
}

async function root(
  { db, claims }: Applying,
  { version, root: { key, hash, bytes } }: Change & { kind: "root" },
): Promise<Outcome> {
  if (!(await claims(version, "root"))) return "applied";
  const place = { rootKey: key, rootHash: hash, rootBytes: bytes };
  await db.updateTable("versions").set(place).where("id", "=", version).execute();
  return "applied";
}

async function nothing(): Promise<Outcome> {
  return "applied";
}
