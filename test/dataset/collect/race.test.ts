/** Collection beside processes that commit, for some seconds; `long-race.ts` does so for minutes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { MOUNTED } from "../../end-to-end/support/mounted.js";
import { testCatalog } from "../../support/catalog-place.js";
import { tempDir } from "../../support/temp.js";
import { type RaceReport, race } from "./race.js";

const SEED = Number(process.env["VARVE_TEST_SEED"] ?? Date.now() % 1_000_000_000);

const LEAST = { committed: 5, collectedObjects: 2, read: 1 };
const OPTIONS = { committers: 4, seed: SEED, leaseSeconds: 1, least: LEAST };

test(
  `no version loses a byte to a collector without a grace beside processes that commit and delete (seed ${SEED})`,
  { timeout: 120_000 },
  async (t) => {
    const folder = await tempDir(t);
    const report = await race({ ...OPTIONS, scope: t, folder, seconds: 8, stops: 1 });
    t.diagnostic(JSON.stringify(report));
    check(report);
    assert.equal(report.stopped, 1);
  },
);

test(
  `many processes that share a catalog, mount, read, commit and delete agree on every version (seed ${SEED})`,
  { timeout: 120_000, skip: MOUNTED.skip },
  async (t) => {
    const folder = await tempDir(t);
    const catalog = (await testCatalog(t)) ?? join(folder, "catalog.db");
    const report = await race({ ...OPTIONS, scope: t, folder, seconds: 5, stops: 0, catalog, mounts: true });
    t.diagnostic(JSON.stringify(report));
    check(report);
    assert.ok(report.read > 0, "nothing was read");
  },
);

function check(report: RaceReport): void {
  assert.deepEqual(report.problems, []);
  const isEnough = report.committed >= 5 && report.collectedObjects >= 2 && report.versions > 0;
  assert.ok(isEnough, "too little to tell");
}
