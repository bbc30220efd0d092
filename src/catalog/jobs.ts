/** Jobs: what called varve, with what parameters, and which versions it used or made. No version depends on them. */
import type { Kysely } from "kysely";

import type { JobUsesTable, JobsTable, Tables } from "./schema.js";

export type JobRow = JobsTable;
export type JobUse = JobUsesTable;

export interface Jobs {
  /** The job of that id: the one there is, as it was first told of, else this. */
  ensureJob(job: JobRow): Promise<JobRow>;
  jobById(id: string): Promise<JobRow | undefined>;
  /** The one that started last at the front. */
  listJobs(options?: { limit?: number | undefined }): Promise<JobRow[]>;
  setJobParameter(jobId: string, name: string, value: string): Promise<void>;
  /** Gives whether it was there. */
  removeJobParameter(jobId: string, name: string): Promise<boolean>;
  /** Sorted by name. */
  jobParameters(jobId: string): Promise<{ name: string; value: string }[]>;
  /** A use that is known already has the new time. */
  recordJobUse(use: JobUse): Promise<void>;
  /** By alias, then the last use first. */
  usesOfJob(jobId: string): Promise<JobUse[]>;
  /** The last use first. */
  usesOfVersion(versionId: string): Promise<JobUse[]>;
  /** The job that a version was made by, if it was told so. */
  jobOfVersion(versionId: string): Promise<{ id: string; name: string } | undefined>;
}

export function jobs(db: Kysely<Tables>): Jobs {
  const find = (id: string) =>
    db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst() as Promise<JobRow | undefined>;
  const uses = db.selectFrom("jobUses").selectAll();

  return {
    async ensureJob(job) {
      await db
        .insertInto("jobs")
        .values(job)
        .onConflict((known) => known.doNothing())
        .execute();
      return (await find(job.id)) ?? job;
    },
    jobById: find,
    listJobs({ limit } = {}) {
      const all = db.selectFrom("jobs").selectAll().orderBy("startedAtMs", "desc").orderBy("id");
      return (limit === undefined ? all : all.limit(limit)).execute();
    },
    async setJobParameter(jobId, name, value) {
      await db
        .insertInto("jobParameters")
        .values({ jobId, name, value })
        .onConflict((known) => known.columns(["jobId", "name"]).doUpdateSet({ value }))
        .execute();
    },
    async removeJobParameter(jobId, name) {
      const removed = await db
        .deleteFrom("jobParameters")
        .where("jobId", "=", jobId)
        .where("name", "=", name)
        .executeTakeFirst();
      return removed.numDeletedRows > 0n;
    },
    jobParameters: (jobId) =>
      db
        .selectFrom("jobParameters")
        .select(["name", "value"])
        .where("jobId", "=", jobId)
        .orderBy("name")
        .execute(),
    async recordJobUse(use) {
      const { reference, usedAtMs } = use;
      await db
        .insertInto("jobUses")
        .values(use)
        .onConflict((known) =>
          known.columns(["jobId", "alias", "versionId"]).doUpdateSet({ reference, usedAtMs }),
        )
        .execute();
    },
    usesOfJob: (jobId) =>
      uses.where("jobId", "=", jobId).orderBy("alias").orderBy("usedAtMs", "desc").execute(),
    usesOfVersion: (versionId) =>
      uses.where("versionId", "=", versionId).orderBy("usedAtMs", "desc").orderBy("jobId").execute(),
    async jobOfVersion(versionId) {
      const made = db.selectFrom("versionJobs").select(["jobId", "jobName"]);
      const row = await made.where("versionId", "=", versionId).executeTakeFirst();
      return row && { id: row.jobId, name: row.jobName };
    },
  };
}

/** Says which job a version is of, for who is in a transaction already. */
export async function setVersionJob(
  db: Kysely<Tables>,
  versionId: string,
  job: { id: string; name: string } | undefined,
): Promise<void> {
  await db.deleteFrom("versionJobs").where("versionId", "=", versionId).execute();
  if (job)
    await db.insertInto("versionJobs").values({ versionId, jobId: job.id, jobName: job.name }).execute();
}
