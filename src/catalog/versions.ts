/**
 * Making and changing versions. Each call is one transaction that has the write lock from its start, so what it read is
 * still true when it writes, whoever else has the catalog open. A finished version keeps its content and its label.
 */
import type { Kysely } from "kysely";

import { DatasetError } from "../errors.js";
import { applyKept } from "./amendments.js";
import { type Belongings, addVersionTags, setBelongings } from "./annotations.js";
import { requireDataset } from "./datasets.js";
import { checkNotDeleted, highestEverUsed, isDeleted } from "./deleted-versions.js";
import { appendEvent } from "./events.js";
import { compareLabels, nextLabel } from "./label.js";
import { setVersionJob } from "./jobs.js";
import { type SquashedSource, setVersionSources } from "./lineage.js";
import { setVersionRemotes } from "./remotes.js";
import type { Tables, VersionState } from "./schema.js";
import {
  type VersionRow,
  findByLabel,
  findVersion,
  isFinished,
  labelColumns,
  requireVersion,
} from "./version-row.js";

export interface NewVersion {
  id: string;
  /** Id of its dataset. */
  dataset: string;
  /** Default: the next after the dataset's highest label. */
  label?: string | undefined;
  /** Ids, in order. */
  parents: readonly string[];
  tags: readonly string[];
  description: string;
  createdBy: string;
  remoteId: string;
  /** The job that makes it. */
  job?: { id: string; name: string } | undefined;
  /** Default `draft`. */
  state?: "draft" | "committing" | undefined;
  /** Unix ms. Default: now. */
  createdAtMs?: number | undefined;
}

/** What may be told of a version after it was reserved. */
export type VersionChanges = Partial<
  Omit<VersionRow, "id" | "datasetId" | "label" | "canonicalLabel" | "state" | "createdBy" | "createdAtMs">
>;

/** A finished version as its record in a remote tells it. */
export type ImportedVersion = Omit<VersionRow, "canonicalLabel" | "archived"> & {
  state: "completed" | "published";
  parents: readonly string[];
  tags: readonly string[];
  /** Ids of the remotes its bytes lie in, its own first. */
  remotes: readonly string[];
  /** Default: none. */
  belongings?: Belongings | undefined;
  /** The job that made it, where it tells. */
  job?: { id: string; name: string } | undefined;
  /** What it was squashed from, in order. Default: nothing. */
  sources?: readonly SquashedSource[] | undefined;
};

export interface Versions {
  /**
   * A new version, unfinished, whose label nobody else of this catalog can have.
   * @throws {DatasetError} `conflict` naming the version that has the label asked for; `bad-input`, `not-found`
   */
  reserveVersion(version: NewVersion): Promise<VersionRow>;
  /**
   * Gives an unfinished version the next free label, for one whose label was lost to another in the remote.
   *
   * @param options.atLeastAbove A label known to be taken elsewhere; the new one comes after it too.
   * @throws {DatasetError} `version-final`, `not-found`
   */
  relabelVersion(versionId: string, options?: { atLeastAbove?: string | undefined }): Promise<VersionRow>;
  /** Changes facts of a version; of a finished one only those that are no content. @throws {DatasetError} `version-final` */
  setVersion(id: string, changes: VersionChanges): Promise<VersionRow>;
  /**
   * Moves a version from one of the states `from` to `to`, with changes. What becomes `completed` has its time.
   * @throws {DatasetError} `conflict` when it is in none of them; `version-final` when it would become unfinished again
   */
  transition(
    id: string,
    from: readonly VersionState[],
    to: VersionState,
    changes?: VersionChanges,
  ): Promise<VersionRow>;
  /**
   * Takes in a version found in a remote. One that is finished here already stays as it is; an unfinished one of the
   * same id becomes finished; an unfinished one of another id with the same label is given the next free label. One that
   * was deleted stays so, and is not given.
   * @throws {DatasetError} `conflict` when another finished version has the label; `not-found` for its dataset
   */
  importVersion(version: ImportedVersion): Promise<VersionRow | undefined>;
  /** Forgets a draft or a failed version. @throws {DatasetError} `version-final` for any other; `not-found` */
  deleteVersion(id: string): Promise<void>;
}

type Stamped<T> = T & { createdAtMs: number };

/** What may change of a finished version: words about it, and where its tree lies (a repack writes new roots). */
const CHANGEABLE: readonly string[] = [
  "description",
  "remoteId",
  "rootKey",
  "rootHash",
  "rootBytes",
] satisfies (keyof VersionChanges)[];

export function versions(db: Kysely<Tables>, now: () => number): Versions {
  const inTransaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) => db.transaction().execute(work);

  return {
    reserveVersion: (version) =>
      inTransaction((trx) => reserve(trx, { ...version, createdAtMs: version.createdAtMs ?? now() })),
    relabelVersion: (id, { atLeastAbove } = {}) => inTransaction((trx) => relabel(trx, id, atLeastAbove)),
    setVersion: (id, changes) =>
      inTransaction(async (trx) => {
        checkChanges(await requireVersion(trx, id), changes);
        return update(trx, id, changes);
      }),
    transition: (id, from, to, changes = {}) =>
      inTransaction(async (trx) => {
        const version = await requireVersion(trx, id);
        checkTransition(version, from, to);
        checkChanges(version, changes);
        const completed = to === "completed" && !isFinished(version) ? { completedAtMs: now() } : {};
        return update(trx, id, { ...completed, ...changes, state: to });
      }),
    importVersion: (version) => inTransaction((trx) => takeIn(trx, version)),
    deleteVersion: (id) => inTransaction((trx) => remove(trx, id)),
  };
}

async function reserve(db: Kysely<Tables>, version: Stamped<NewVersion>): Promise<VersionRow> {
  const {
    id,
    dataset,
    parents,
    tags,
    description,
    createdBy,
    remoteId,
    job,
    state = "draft",
    createdAtMs,
  } = version;
  await requireDataset(db, dataset);
  if (version.label !== undefined) await checkLabelFree(db, dataset, version.label);
  const label = version.label ?? nextLabel(await highestEverUsed(db, dataset));
  await db
    .insertInto("versions")
    .values({
      id,
      datasetId: dataset,
      ...labelColumns(label),
      state,
      description,
      createdBy,
      createdAtMs,
      remoteId,
      archived: 0,
    })
    .execute();
  await setParents(db, id, parents);
  await addVersionTags(db, id, tags);
  await setVersionJob(db, id, job);
  return requireVersion(db, id);
}

async function checkLabelFree(db: Kysely<Tables>, dataset: string, label: string): Promise<void> {
  const owner = await findByLabel(db, dataset, label);
  if (owner) throw labelTaken(label, owner);
  await checkNotDeleted(db, dataset, label);
}

async function relabel(
  db: Kysely<Tables>,
  id: string,
  atLeastAbove: string | undefined,
): Promise<VersionRow> {
  const version = await requireVersion(db, id);
  if (isFinished(version)) throw final(version, "give another label to");
  const highest = higher(await highestEverUsed(db, version.datasetId), atLeastAbove);
  return update(db, id, labelColumns(nextLabel(highest)));
}

function higher(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareLabels(a, b) < 0 ? b : a;
}

function checkTransition(version: VersionRow, from: readonly VersionState[], to: VersionState): void {
  if (!from.includes(version.state)) {
    const what = `version "${version.label}"`;
    const message = `Cannot make the ${what} ${to}: it is ${version.state}, not ${from.join(" or ")}`;
    throw new DatasetError("conflict", { what }, message);
  }
  if (isFinished(version) && !isFinished({ state: to })) throw final(version, `make ${to}`);
}

function checkChanges(version: VersionRow, changes: VersionChanges): void {
  if (!isFinished(version)) return;
  const fixed = Object.keys(changes).find((name) => !CHANGEABLE.includes(name));
  if (fixed !== undefined) throw final(version, `change "${fixed}" of`);
}

async function update(
  db: Kysely<Tables>,
  id: string,
  changes: VersionChanges & Partial<Tables["versions"]>,
): Promise<VersionRow> {
  if (Object.keys(changes).length > 0)
    await db.updateTable("versions").set(changes).where("id", "=", id).execute();
  return requireVersion(db, id);
}

async function takeIn(db: Kysely<Tables>, version: ImportedVersion): Promise<VersionRow | undefined> {
  const {
    parents,
    tags,
    remotes,
    job,
    sources = [],
    belongings = { metadata: [], annexes: {} },
    ...row
  } = version;
  const known = await findVersion(db, row.id);
  if (known && isFinished(known)) return known;
  if (await isDeleted(db, row.id)) return undefined;
  await requireDataset(db, row.datasetId);
  await makeWay(db, row);
  const columns = { ...row, ...labelColumns(row.label), archived: 0 };
  if (known) await update(db, row.id, columns);
  else await db.insertInto("versions").values(columns).execute();
  await setParents(db, row.id, parents);
  await setVersionRemotes(db, row.id, remotes);
  await setVersionSources(db, row.id, sources);
  await addVersionTags(db, row.id, tags);
  await setBelongings(db, row.id, belongings);
  await setVersionJob(db, row.id, job);
  await tellOf(db, row, tags);
  await applyKept(db, { datasetId: row.datasetId, versionId: row.id });
  return requireVersion(db, row.id);
}

/** A version that is new here is an event, wherever it was made. */
async function tellOf(
  db: Kysely<Tables>,
  { id, datasetId, state }: Pick<VersionRow, "id" | "datasetId" | "state">,
  tags: readonly string[],
): Promise<void> {
  const about = { datasetId, versionId: id };
  await appendEvent(db, { kind: "completed", ...about });
  if (state === "published") await appendEvent(db, { kind: "published", ...about });
  for (const tag of new Set(tags)) await appendEvent(db, { kind: "tagged", ...about, tag });
}

/** Who has the label of a version that exists in a remote, and does not exist there itself, takes the next one. */
async function makeWay(
  db: Kysely<Tables>,
  { id, datasetId, label }: Pick<VersionRow, "id" | "datasetId" | "label">,
): Promise<void> {
  const owner = await findByLabel(db, datasetId, label);
  if (!owner || owner.id === id) return;
  if (isFinished(owner)) throw labelTaken(label, owner);
  await relabel(db, owner.id, label);
}

async function setParents(db: Kysely<Tables>, versionId: string, parents: readonly string[]): Promise<void> {
  await db.deleteFrom("versionParents").where("versionId", "=", versionId).execute();
  const rows = parents.map((parentId, position) => ({ versionId, position, parentId }));
  if (rows.length > 0) await db.insertInto("versionParents").values(rows).execute();
}

async function remove(db: Kysely<Tables>, id: string): Promise<void> {
  const version = await requireVersion(db, id);
  if (version.state !== "draft" && version.state !== "failed") throw final(version, "delete");
  await db.deleteFrom("versions").where("id", "=", id).execute();
}

function labelTaken(label: string, owner: VersionRow): DatasetError<"conflict"> {
  const what = `version "${owner.label}"`;
  const message = `Cannot take the label "${label}": the ${what} (${owner.state}, id ${owner.id}) has it`;
  return new DatasetError("conflict", { what }, message);
}

function final(version: VersionRow, attempt: string): DatasetError<"version-final"> {
  const message = `Cannot ${attempt} the version "${version.label}": it is ${version.state}`;
  return new DatasetError("version-final", { version: version.id }, message);
}
