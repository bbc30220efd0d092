/**
 * The rules of labels in one table: in which order versions come, which is the latest, and which label the next takes.
 * The last part of it is what other tools get wrong: equal labels, order by text, a lost number.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { testUser } from "./support/workspaces.js";

interface Rule {
  rule: string;
  /** Finished, in this order. */
  made: string[];
  /** The order in which `versions` lists them. */
  listed: string[];
  latest: string;
  next: string;
}

const RULES: Rule[] = [
  { rule: "the first", made: [], listed: [], latest: "", next: "1.0.0" },
  { rule: "the last number counts on", made: ["1.0.0"], listed: ["1.0.0"], latest: "1.0.0", next: "1.0.1" },
  { rule: "as many numbers as were written", made: ["1.0"], listed: ["1.0"], latest: "1.0", next: "1.1" },
  { rule: "a single number", made: ["1"], listed: ["1"], latest: "1", next: "2" },
  { rule: "a leading v is not carried on", made: ["v1.2.3"], listed: ["v1.2.3"], latest: "v1.2.3", next: "1.2.4" },
  { rule: "numbers, not text", made: ["1.10", "1.9"], listed: ["1.9", "1.10"], latest: "1.10", next: "1.11" },
  { rule: "2.9.9 is followed by 2.9.10", made: ["2.9.9"], listed: ["2.9.9"], latest: "2.9.9", next: "2.9.10" },
  { rule: "a lower label may be asked for", made: ["2.0.0", "1.5.0"], listed: ["1.5.0", "2.0.0"], latest: "2.0.0", next: "2.0.1" },
  {
    rule: "a pre-release comes before its release",
    made: ["2.0.0", "2.0.0-rc.1"],
    listed: ["2.0.0-rc.1", "2.0.0"],
    latest: "2.0.0",
    next: "2.0.1",
  },
  {
    rule: "the latest is a release, the next comes after all",
    made: ["1.0.0", "2.0.0-rc.1"],
    listed: ["1.0.0", "2.0.0-rc.1"],
    latest: "1.0.0",
    next: "2.0.0-rc.2",
  },
  { rule: "only pre-releases", made: ["1.0.0-beta"], listed: ["1.0.0-beta"], latest: "1.0.0-beta", next: "1.0.0-beta.1" },
  {
    rule: "letters of pre-releases count",
    made: ["1.0.0-b.1", "1.0.0-a.2"],
    listed: ["1.0.0-a.2", "1.0.0-b.1"],
    latest: "1.0.0-b.1",
    next: "1.0.0-b.2",
  },
  { rule: "a build is no number", made: ["1.0.0+build.5"], listed: ["1.0.0+build.5"], latest: "1.0.0+build.5", next: "1.0.1" },
  { rule: "a build of one word is no obstacle", made: ["1.0+abc"], listed: ["1.0+abc"], latest: "1.0+abc", next: "1.1" },
  { rule: "dates", made: ["2024.1.2"], listed: ["2024.1.2"], latest: "2024.1.2", next: "2024.1.3" },
]; // prettier-ignore

for (const { rule, made, listed, latest, next } of RULES)
  test(`labels: ${rule} (${made.join(", ") || "none"} → ${next})`, async (t) => {
    const workspace = (await testUser(t)).open();
    for (const version of made) await (await Dataset.create("p/d", { version, workspace })).finalize();
    const rows = await Dataset.listVersions({ workspace });
    assert.deepEqual(
      rows.map(({ version }) => version),
      listed,
    );
    if (made.length > 0) assert.equal((await Dataset.get("p/d", { workspace })).version, latest);
    assert.equal((await Dataset.create("p/d", { workspace })).version, next);
  });

test("labels that no order could place are refused, and so is a second one that means the same", async (t) => {
  const workspace = (await testUser(t)).open();
  const create = (version: string) => Dataset.create("p/d", { version, workspace });
  await create("1.0");
  for (const taken of ["1", "v1", "1.0.0"]) await assert.rejects(create(taken), { code: "conflict" }, taken);
  for (const none of ["final-v2", "1!2.0", "1.0.0.dev1", "1.0a1", "01.2", "2024.01.02", "1.0.post1"])
    await assert.rejects(create(none), { code: "bad-input" }, none);
});

test("two heads: latest is the higher one, and names the other; the next label comes after both", async (t) => {
  const workspace = (await testUser(t)).open();
  const finish = async (version: string, parents: string[] = []) =>
    (await Dataset.create("p/d", { version, parents, workspace })).finalize();
  await finish("1.0.0");
  await finish("1.1.0", ["p/d@1.0.0"]);
  await finish("1.0.1", ["p/d@1.0.0"]);
  for (const asked of ["p/d", { project: "p", name: "d" }]) {
    const { version, unmerged } = await Dataset.get(asked, { workspace });
    assert.deepEqual([version, unmerged], ["1.1.0", ["p/d@1.0.1"]]);
  }
  assert.equal((await Dataset.create("p/d", { workspace })).version, "1.1.1");
});
