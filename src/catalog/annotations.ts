/** Words and values people attach: tags of versions and datasets, metadata of versions. They are no part of content. */
import type { Kysely } from "kysely";

import type { Tables } from "./schema.js";

export interface Metadata {
  name: string;
  /** How to read `value`: a media type, or a word that its writer and reader share. */
  type: string;
  value: Uint8Array;
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
}

export function annotations(db: Kysely<Tables>): Annotations {
  return {
    addVersionTags: (versionId, tags) => addVersionTags(db, versionId, tags),
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
    async setMetadata(versionId, { name, type, value }) {
      await db
        .insertInto("versionMetadata")
        .values({ versionId, name, type, value })
        .onConflict((taken) => taken.columns(["versionId", "name"]).doUpdateSet({ type, value }))
        .execute();
    },
    getMetadata: async (versionId, name) =>
      (await selectMetadata(db, versionId).where("name", "=", name).execute()).map(plain)[0],
    listMetadata: async (versionId) =>
      (await selectMetadata(db, versionId).orderBy("name").execute()).map(plain),
  };
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
    .select(["name", "type", "value"])
    .where("versionId", "=", versionId);
}

/** The driver's Buffers stay inside. */
function plain({ name, type, value }: Metadata): Metadata {
  return { name, type, value: new Uint8Array(value) };
}
