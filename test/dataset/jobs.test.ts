/** Jobs: what they used under an alias, what somebody set for them instead, and the versions they made. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { Job } from "../../src/dataset/job.js";
import { commandLine, currentJobId } from "../../src/dataset/job-of-process.js";
import { lineageOf } from "../../src/dataset/lineage.js";
import { usedBy } from "../../src/dataset/used-by.js";
import { findVersion } from "../../src/dataset/history.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { testUser } from "./support/workspaces.js";

/** Runs as the job of an id, as a process that is given it by its environment. */
async function asJob<T>(id: string | undefined, work: () => Promise<T>, env: object = {}): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, { VARVE_JOB_ID: id ?? "", VARVE_JOB_NAME: "train", ...env });
  try {
    return await work();
  } finally {
    for (const name of ["VARVE_JOB_ID", "VARVE_JOB_NAME", "VARVE_JOBS"])
      Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  }
}

async function userWithVersions(t: TestContext, ...versions: string[]) {
  const user = await testUser(t);
  const workspace = user.open();
  for (const version of versions) await (await Dataset.create("p/d", { version, workspace })).finalize();
  user.notices.length = 0;
  return { ...user, workspace };
}

const usesOf = async (workspace: Workspace, id: string) =>
  (await (await Job.get(id, { workspace })).uses()).map(({ alias, reference }) => [alias, reference]);

test("a get with an alias is recorded for the job, one without is not", async (t) => {
  const { workspace } = await userWithVersions(t, "1.0.0", "1.1.0");
  await asJob("j1", async () => {
    await Dataset.get("p/d", { workspace });
    assert.deepEqual(await Job.list({ workspace }), []);
    await Dataset.get("p/d@1.0.0", { alias: "old", workspace });
    await Dataset.get({ name: "p/d" }, { alias: "training", workspace });
    await Dataset.get({ name: "p/d", alias: "training", workspace });
  });
  const [job] = await Job.list({ workspace });
  assert.deepEqual([job!.id, job!.name, (await Job.list({ workspace })).length], ["j1", "train", 1]);
  assert.deepEqual(await usesOf(workspace, "j1"), [
    ["old", "p/d@1.0.0"],
    ["training", "p/d@1.1.0"],
  ]);
});

test("a process without an id is one job of its own", async (t) => {
  const { workspace } = await userWithVersions(t, "1.0.0");
  await asJob(undefined, async () => {
    await Dataset.get("p/d", { alias: "a", workspace });
    const job = await Job.current({ workspace });
    assert.match(job.id, /^[0-9a-f]{32}$/);
    assert.deepEqual(await usesOf(workspace, job.id), [["a", "p/d@1.0.0"]]);
    await job.setParameters({ rate: 0.1, shuffle: true, "General/name": "x" });
    assert.deepEqual(await job.parameters(), { rate: "0.1", shuffle: "true", "General/name": "x" });
  });
});

test("what is set for an alias overrides an overridable get on the next run of that job, and no other", async (t) => {
  const { workspace, notices } = await userWithVersions(t, "1.0.0", "1.1.0");
  const version = async (options: object = { overridable: true }) =>
    (await Dataset.get("p/d", { alias: "training", ...options, workspace })).version;
  assert.equal(await asJob("j1", () => version()), "1.1.0");
  const job = await Job.get("j1", { workspace });
  await job.setParameters({ "Datasets/training": "p/d@1.0.0" });
  assert.equal(await asJob("j1", () => version()), "1.0.0");
  assert.match(notices.join(), /Using p\/d@1\.0\.0 for "training": varve job set says so/);
  assert.equal(await asJob("j1", () => version({ overridable: false })), "1.1.0");
  assert.equal(await asJob("j2", () => version()), "1.1.0");
  assert.equal(
    await asJob(
      "j1",
      async () => (await Dataset.get("p/d", { alias: "other", overridable: true, workspace })).version,
    ),
    "1.1.0",
  );
  await job.removeParameter("Datasets/training");
  assert.equal(await asJob("j1", () => version()), "1.1.0");
  await assert.rejects(job.removeParameter("Datasets/training"), { code: "not-found" });
  await assert.rejects(job.setParameters({ "Datasets/training": "p/d@7" }), { code: "not-found" });
  assert.deepEqual(await job.parameters(), {});
});

test("a use that cannot be recorded is said and fails no read; VARVE_JOBS=off records nothing", async (t) => {
  const { workspace, notices } = await userWithVersions(t, "1.0.0");
  const get = async () => (await Dataset.get("p/d", { alias: "a", workspace })).version;
  assert.equal(await asJob("j1", get, { VARVE_JOBS: "off" }), "1.0.0");
  assert.deepEqual([await Job.list({ workspace }), notices], [[], []]);
  assert.equal(await asJob("two words", get), "1.0.0");
  assert.match(notices.join(), /^Warning: the use of p\/d@1\.0\.0 as "a" was not recorded: .*VARVE_JOB_ID/);
  await assert.rejects(Dataset.get("p/d", { overridable: true, workspace }), { code: "bad-input" });
  await assert.rejects(Dataset.get("p/d", { alias: "a\nb", workspace }), { code: "bad-input" });
});

test("a version found in a remote is recorded in the user's own catalog", async (t) => {
  const one = await userWithVersions(t, "1.0.0");
  const two = await testUser(t);
  const workspace = two.open();
  await asJob("j1", () => Dataset.get(`${one.home.defaultRemote}#p/d`, { alias: "far", workspace }));
  assert.deepEqual(await usesOf(workspace, "j1"), [["far", "p/d@1.0.0"]]);
  assert.deepEqual(await Dataset.listVersions({ workspace }), [], "the version itself is not entered");
});

test("used-by names jobs and children", async (t) => {
  const { workspace } = await userWithVersions(t, "1.0.0");
  await asJob("j1", () => Dataset.get("p/d", { alias: "a", workspace }));
  const child = await Dataset.create({ name: "p/e", parents: ["p/d"], workspace });
  const { jobs, children } = await usedBy(workspace, await findVersion(workspace, "p/d"));
  assert.deepEqual(jobs.map(({ id, name, alias }) => [id, name, alias]), [["j1", "train", "a"]]); // prettier-ignore
  assert.deepEqual(children, [{ id: child.id, reference: "p/e@1.0.0", state: "draft" }]);
});

test("a version of the running job says so in its lineage, in its record, and in a catalog rebuilt from it", async (t) => {
  const { home, workspace } = await userWithVersions(t);
  await asJob("j9", async () => {
    const draft = await Dataset.create("p/d", { useCurrentJob: true, workspace });
    await draft.finalize();
  });
  await (await Dataset.create("p/d", { parents: ["p/d"], workspace })).finalize();
  const other = (await testUser(t)).open();
  await rebuildCatalog(other, [home.defaultRemote]);
  for (const each of [workspace, other]) {
    const steps = await lineageOf(each, await findVersion(each, "p/d"));
    assert.deepEqual(steps.map(({ job }) => job), [null, { id: "j9", name: "train" }]); // prettier-ignore
  }
});

test("a command line keeps no credentials of URLs", () => {
  assert.equal(
    commandLine(["/x/train.js", "s3://key:secret@host/b?sig=abc#p/d", "a b", "https://h/x?token=1"]),
    '/x/train.js s3://host/b "a b" https://h/x',
  );
  assert.equal(
    commandLine([
      "train",
      "--api-key",
      "abc",
      "--token=def",
      "PASSWORD=ghi",
      "--keys",
      "3",
      "--token",
      "--fast",
    ]),
    'train --api-key "…" "--token=…" "PASSWORD=…" --keys 3 --token --fast',
  );
  assert.equal(currentJobId({ VARVE_JOB_ID: "4711_3" }), "4711_3");
  assert.throws(() => currentJobId({ VARVE_JOB_ID: "a b" }), { code: "bad-input" });
});
