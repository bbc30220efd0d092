/** Projects and datasets by name and id. A project is made with its first dataset. */
import type { Kysely } from "kysely";

import { DatasetError } from "../errors.js";
import { ensureProject } from "./dataset-names.js";
import type { Tables } from "./schema.js";

export interface Dataset {
  id: string;
  project: string;
  name: string;
  createdAtMs: number;
  /** 1 when lists leave it out, else 0. */
  archived: number;
}

export interface NewDataset {
  project: string;
  name: string;
  id: string;
  /** Unix ms. Default: now. */
  createdAtMs?: number | undefined;
}

export interface Datasets {
  /**
   * The dataset of that name: the one there is, whatever id was proposed, else a new one with the proposed id.
   * @throws {DatasetError} `conflict` when the id is that of a dataset with another name
   */
  ensureDataset(proposed: NewDataset): Promise<Dataset>;
  findDataset(project: string, name: string): Promise<Dataset | undefined>;
  datasetById(id: string): Promise<Dataset | undefined>;
  /** The names of all projects that hold such a dataset, sorted. */
  listProjects(): Promise<string[]>;
  /** All that have a version and are not archived, or those of one project, sorted by project and name; with `archived` those too. */
  listDatasets(filter?: { project?: string | undefined; archived?: boolean | undefined }): Promise<Dataset[]>;
}

export function datasets(db: Kysely<Tables>, now: () => number): Datasets {
  return {
    async ensureDataset(proposed) {
      const { project, name } = proposed;
      const existing = await find(db, project, name);
      return (
        existing ??
        db
          .transaction()
          .execute((trx) => ensure(trx, { ...proposed, createdAtMs: proposed.createdAtMs ?? now() }))
      );
    },
    findDataset: (project, name) => find(db, project, name),
    datasetById: (id) => findById(db, id),
    async listProjects() {
      const used = holdingVersions(db).select("projectId").where("archived", "=", 0);
      const projects = db.selectFrom("projects").select("name").where("id", "in", used);
      return (await projects.orderBy("name").execute()).map(({ name }) => name);
    },
    listDatasets({ project, archived = false } = {}) {
      const some = holdingVersions(db).select("datasets.id");
      const all = select(db)
        .where("datasets.id", "in", some)
        .orderBy("projects.name")
        .orderBy("datasets.name");
      const shown = archived ? all : all.where("datasets.archived", "=", 0);
      return (project === undefined ? shown : shown.where("projects.name", "=", project)).execute();
    },
  };
}

/** A dataset whose versions were all deleted, or whose first was never made, is a name and no more. */
function holdingVersions(db: Kysely<Tables>) {
  const holding = db.selectFrom("versions").select("datasetId");
  return db.selectFrom("datasets").where("datasets.id", "in", holding);
}

/** @throws {DatasetError} `not-found` */
export async function requireDataset(db: Kysely<Tables>, id: string): Promise<Dataset> {
  const dataset = await findById(db, id);
  if (dataset) return dataset;
  const what = `dataset "${id}"`;
  throw new DatasetError("not-found", { what }, `Cannot find the ${what}: the catalog does not know it`);
}

async function ensure(db: Kysely<Tables>, dataset: NewDataset & { createdAtMs: number }): Promise<Dataset> {
  const { id, project, name, createdAtMs } = dataset;
  const existing = await find(db, project, name);
  if (existing) return existing;
  const namesake = await findById(db, id);
  if (namesake) throw idTaken(dataset, namesake);
  const projectId = await ensureProject(db, project);
  const row = { id, name, createdAtMs, archived: 0 };
  await db
    .insertInto("datasets")
    .values({ ...row, projectId })
    .execute();
  return { ...row, project };
}

function find(db: Kysely<Tables>, project: string, name: string): Promise<Dataset | undefined> {
  return select(db).where("projects.name", "=", project).where("datasets.name", "=", name).executeTakeFirst();
}

function findById(db: Kysely<Tables>, id: string): Promise<Dataset | undefined> {
  return select(db).where("datasets.id", "=", id).executeTakeFirst();
}

function select(db: Kysely<Tables>) {
  return db
    .selectFrom("datasets")
    .innerJoin("projects", "projects.id", "datasets.projectId")
    .select([
      "datasets.id",
      "projects.name as project",
      "datasets.name",
      "datasets.createdAtMs",
      "datasets.archived",
    ]);
}

function idTaken({ id, project, name }: NewDataset, namesake: Dataset): DatasetError<"conflict"> {
  const what = `dataset "${namesake.project}/${namesake.name}"`;
  const message = `Cannot make the dataset "${project}/${name}" with the id "${id}": the ${what} has it`;
  return new DatasetError("conflict", { what }, message);
}
