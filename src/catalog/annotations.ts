/** Words and values people attach: tags of versions and datasets, metadata and annexes of versions. No part of content. */
import type { Kysely } from "kysely";

import type { Tables } from "./schema.js";

export interface Metadata {
  name: string;
  /** A media type. */
  type: string;
  /** What was put in: a word that writer and reader share. */
  form: string;
  /** Empty where the bytes lie elsewhere. */
  value: Uint8Array;
  /** JSON that says where, in words of writer and reader. */
  attachment: string | null;
}

/** A version's metadata and annexes, as its record tells them. */
export interface Belongings {
  metadata: readonly Metadata[];
  /** By kind, in order; each JSON. */
  annexes: Readonly<Record<string, readonly string[]>>;
}

export interface Annotations {
  /** Adds tags; one that is there already is no error. */
  addVersionTags(versionId: string, tags: readonly string[]): Promise<void>;
  /** Removes tags; one that is not there is no error. */
  removeVersionTags(versionId: string, tags: readonly string[]): Promise<void>;
  /** Sorted. */
  versionTags(versionId: string): Promise<string[]>;
  addDatasetTags(datasetId: string, tags: readonly string[]): Promise<void>;
  removeDatasetTags(datasetId: string, tags: readonly string[]): Promise<void>;
  datasetTags(datasetId: string): Promise<string[]>;
  /** Sets one value, replacing one of the same name. */
  setMetadata(versionId: string, metadata: Metadata): Promise<void>;
  getMetadata(versionId: string, name: string): Promise<Metadata | undefined>;
  /** Sorted by name. */
  listMetadata(versionId: string): Promise<Metadata[]>;
  /** Whether there was one of that name. */
  deleteMetadata(versionId: string, name: string): Promise<boolean>;
  /** Replaces all metadata and annexes of a version. */
  setBelongings(versionId: string, belongings: Belongings): Promise<void>;
  /** What belongs to a version beside its tree, of one kind, in order. */
  annexesOf(versionId: string, kind: string): Promise<string[]>;
}

export function annotations(db: Kysely<Tables>): Annotations {
  return {
    addVersionTags: (versionId, tags) => addVersionTags(db, versionId, tags),
    setBelongings: (versionId, belongings) =>
      db.transaction().execute((trx) => setBelongings(trx, versionId, belongings)),
    async removeVersionTags(versionId, tags) {
      if (tags.length === 0) return;
      await db
        .deleteFrom("versionTags")
        .where("versionId", "=", versionId)
        .where("tag", "in", tags)
        .execute();
    },
    async versionTags(versionId) {
      const rows = db
        .selectFrom("versionTags")
        .select("tag")
        .where("versionId", "=", versionId)
        .orderBy("tag");
      return (await rows.execute()).map(({ tag }) => tag);
    },
    async addDatasetTags(datasetId, tags) {
      if (tags.length === 0) return;
      const rows = tags.map((tag) => ({ datasetId, tag }));
      await db
        .insertInto("datasetTags")
        .values(rows)
        .onConflict((taken) => taken.doNothing())
        .execute();
    },
    async removeDatasetTags(datasetId, tags) {
      if (tags.length === 0) return;
      await db
        .deleteFrom("datasetTags")
        .where("datasetId", "=", datasetId)
        .where("tag", "in", tags)
        .execute();
    },
    async datasetTags(datasetId) {
      const rows = db
        .selectFrom("datasetTags")
        .select("tag")
        .where("datasetId", "=", datasetId)
        .orderBy("tag");
      return (await rows.execute()).map(({ tag }) => tag);
    },
    setMetadata: (versionId, metadata) => setMetadata(db, versionId, metadata),
    getMetadata: async (versionId, name) =>
      (await selectMetadata(db, versionId).where("name", "=", name).execute()).map(plain)[0],
    listMetadata: async (versionId) =>
      (await selectMetadata(db, versionId).orderBy("name").execute()).map(plain),
    deleteMetadata: (versionId, name) => deleteMetadata(db, versionId, name),
    async annexesOf(versionId, kind) {
      const rows = db
        .selectFrom("versionAnnexes")
        .select("value")
        .where("versionId", "=", versionId)
        .where("kind", "=", kind)
        .orderBy("position");
      return (await rows.execute()).map(({ value }) => value);
    },
  };
}

/** Makes metadata and annexes of a version those given, for who is in a transaction already. */
export async function setBelongings(
  db: Kysely<Tables>,
  versionId: string,
  { metadata, annexes }: Belongings,
): Promise<void> {
  await db.deleteFrom("versionMetadata").where("versionId", "=", versionId).execute();
  await db.deleteFrom("versionAnnexes").where("versionId", "=", versionId).execute();
  for (const each of metadata) await setMetadata(db, versionId, each);
  const rows = Object.entries(annexes).flatMap(([kind, values]) =>
    values.map((value, position) => ({ versionId, kind, position, value })),
  );
  for (const row of rows) await db.insertInto("versionAnnexes").values(row).execute();
}

/** As the method of that name, for who is in a transaction already. */
export async function deleteMetadata(db: Kysely<Tables>, versionId: string, name: string): Promise<boolean> {
  const deleted = await db
    .deleteFrom("versionMetadata")
    .where("versionId", "=", versionId)
    .where("name", "=", name)
    .executeTakeFirst();
  return deleted.numDeletedRows > 0;
}

/** Adds a value of an annex after those there are, for who is in a transaction already. */
export async function addAnnex(
  db: Kysely<Tables>,
  versionId: string,
  kind: string,
  value: string,
): Promise<void> {
  const last = await db
    .selectFrom("versionAnnexes")
    .select("position")
    .where("versionId", "=", versionId)
    .where("kind", "=", kind)
    .orderBy("position", "desc")
    .executeTakeFirst();
  await db
    .insertInto("versionAnnexes")
    .values({ versionId, kind, position: (last?.position ?? -1) + 1, value })
    .execute();
}

/** As the method of that name, for who is in a transaction already. */
export async function setMetadata(
  db: Kysely<Tables>,
  versionId: string,
  { name, type, form, value, attachment }: Metadata,
): Promise<void> {
  await db
    .insertInto("versionMetadata")
    .values({ versionId, name, type, form, value, attachment })
    .onConflict((taken) =>
      taken.columns(["versionId", "name"]).doUpdateSet({ type, form, value, attachment }),
    )
    .execute();
}

/** As the method of that name, for who is in a transaction already. */
export async function addVersionTags(
  db: Kysely<Tables>,
  versionId: string,
  tags: readonly string[],
): Promise<void> {
  if (tags.length === 0) return;
  const rows = tags.map((tag) => ({ versionId, tag }));
  await db
    .insertInto("versionTags")
    .values(rows)
    .onConflict((taken) => taken.doNothing())
    .execute();
}

function selectMetadata(db: Kysely<Tables>, versionId: string) {
  return db
    .selectFrom("versionMetadata")
    .select(["name", "type", "form", "value", "attachment"])
    .where("versionId", "=", versionId);
}

/** The driver's Buffers stay inside. */
function plain({ name, type, form, value, attachment }: Metadata): Metadata {
  return { name, type, form, value: new Uint8Array(value), attachment };
}
