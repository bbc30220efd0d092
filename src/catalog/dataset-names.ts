/** Names of datasets as they change: the new one, and the former ones, which still say what is meant. */
import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";

import type { DatasetName } from "./dataset-name.js";
import type { Tables } from "./schema.js";

export interface DatasetNames {
  /** Id of a dataset that was called so before. */
  formerlyCalled(name: DatasetName): Promise<string | undefined>;
}

export function datasetNames(db: Kysely<Tables>): DatasetNames {
  return {
    async formerlyCalled({ project, name }) {
      const former = db
        .selectFrom("formerNames")
        .select("datasetId")
        .where("project", "=", project)
        .where("name", "=", name);
      return (await former.executeTakeFirst())?.datasetId;
    },
  };
}

/** Whether another dataset has the name, for who is in a transaction. One without any version gives way. */
export async function isNameTaken(
  db: Kysely<Tables>,
  datasetId: string,
  { project, name }: DatasetName,
): Promise<boolean> {
  const namesake = await db
    .selectFrom("datasets")
    .innerJoin("projects", "projects.id", "datasets.projectId")
    .select("datasets.id")
    .where("projects.name", "=", project)
    .where("datasets.name", "=", name)
    .where("datasets.id", "!=", datasetId)
    .executeTakeFirst();
  if (!namesake) return false;
  const version = db.selectFrom("versions").select("id").where("datasetId", "=", namesake.id);
  if (await version.executeTakeFirst()) return true;
  await db.deleteFrom("datasets").where("id", "=", namesake.id).execute();
  return false;
}

/** For who is in a transaction, and knows the name to be free. */
export async function renameDataset(
  db: Kysely<Tables>,
  datasetId: string,
  { project, name }: DatasetName,
): Promise<void> {
  const former = await db
    .selectFrom("datasets")
    .innerJoin("projects", "projects.id", "datasets.projectId")
    .select(["projects.name as project", "datasets.name"])
    .where("datasets.id", "=", datasetId)
    .executeTakeFirst();
  if (!former || (former.project === project && former.name === name)) return;
  await db
    .insertInto("formerNames")
    .values({ ...former, datasetId })
    .onConflict((known) => known.doNothing())
    .execute();
  const projectId = await ensureProject(db, project);
  await db.updateTable("datasets").set({ projectId, name }).where("id", "=", datasetId).execute();
}

/** The id of a project, which is made where there is none, for who is in a transaction. */
export async function ensureProject(db: Kysely<Tables>, name: string): Promise<string> {
  const existing = await db.selectFrom("projects").select("id").where("name", "=", name).executeTakeFirst();
  if (existing) return existing.id;
  const id = randomBytes(16).toString("hex");
  await db.insertInto("projects").values({ id, name }).execute();
  return id;
}
