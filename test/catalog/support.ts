/** Tests of the catalog on SQLite and PostgreSQL alike; a catalog with one dataset and a clock that ticks at each look. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import {
  type Catalog,
  type ImportedVersion,
  type NewVersion,
  type VersionRow,
  openCatalog,
} from "../../src/catalog/catalog.js";
import { postgresServer } from "../support/postgres.js";
import { tempDir } from "../support/temp.js";

export const REMOTE = "f".repeat(32);

type CatalogKind = "SQLite" | "PostgreSQL";

const kindOf = new WeakMap<TestContext, CatalogKind>();

/** A test for each database that a catalog may be: what it opens here is of that kind. Import it as `test`. */
export function testOnEach(title: string, body: (t: TestContext) => Promise<void>): void {
  for (const kind of ["SQLite", "PostgreSQL"] as const)
    test(`${title} (${kind})`, (t) => {
      kindOf.set(t, kind);
      return body(t);
    });
}

/** Where no catalog is yet. */
export async function newPlace(t: TestContext): Promise<string> {
  if (kindOf.get(t) === "PostgreSQL") return (await postgresServer()).newCatalog(t);
  return join(await tempDir(t), "data/catalog.db");
}

export interface Fixture {
  catalog: Catalog;
  /** Its path or URL. */
  place: string;
  dataset: string;
  /** Reserves a version of the dataset. */
  reserve: (version?: Partial<NewVersion>) => Promise<VersionRow>;
  /** Reserves a version and completes it. */
  complete: (label?: string, version?: Partial<NewVersion>) => Promise<VersionRow>;
  /** A version as a record of the dataset would tell it. */
  found: (label: string, version?: Partial<ImportedVersion>) => ImportedVersion;
}

export async function openFixture(t: TestContext): Promise<Fixture> {
  const place = await newPlace(t);
  let timeMs = 1_000;
  const catalog = await openCatalog(place, { now: () => timeMs++ });
  t.after(() => catalog.close());
  const { id: dataset } = await catalog.ensureDataset({ project: "vision", name: "cifar", id: newId() });

  const reserve = (version: Partial<NewVersion> = {}) =>
    catalog.reserveVersion({ ...WORDS, id: newId(), dataset, parents: [], tags: [], ...version });
  return {
    catalog,
    place,
    dataset,
    reserve,
    complete: async (label, version) => {
      const { id } = await reserve({ label, ...version });
      return catalog.transition(id, ["draft"], "completed", FACTS);
    },
    found: (label, version) => ({
      ...WORDS,
      ...FACTS,
      id: newId(),
      datasetId: dataset,
      label,
      state: "completed",
      createdAtMs: 5,
      completedAtMs: 6,
      parents: [],
      tags: [],
      remotes: [WORDS.remoteId],
      ...version,
    }),
  };
}

export function newId(): string {
  return randomBytes(16).toString("hex");
}

const WORDS = { description: "words", createdBy: "ada", remoteId: REMOTE };

/** What a finished version says of its content. */
export const FACTS = {
  rootKey: "roots/1/1",
  rootHash: "a".repeat(64),
  rootBytes: 12,
  treeDigest: "b".repeat(64),
  contentDigest: "c".repeat(64),
  files: 3,
  bytes: 2 ** 40,
  added: 3,
  modified: 0,
  metadataChanged: 0,
  removed: 0,
  renamed: 0,
};
