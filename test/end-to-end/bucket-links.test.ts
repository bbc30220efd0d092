/** Links to objects in buckets, through the kernel: read by range, and as they were pinned or not at all. */
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { startAzurite, useAzureAccount } from "../support/azurite.js";
import { type ForeignBucket, azureBucket, gcsBucket, s3Bucket } from "../support/foreign-buckets.js";
import { isStale, linkUser, readAt, textOf } from "./support/linking.js";
import { MOUNTED } from "./support/mounted.js";

const azurite = await startAzurite({ after });
useAzureAccount(azurite);

const BEFORE = noise("before", 4 * MiB + 5);
const AFTER = noise("after", 4 * MiB + 5);

test(
  "objects of every store are read in one mount, and give ESTALE once they are replaced",
  MOUNTED,
  async (t) => {
    const buckets: Record<string, ForeignBucket> = {
      s3: await s3Bucket(t, false),
      gcs: await gcsBucket(t),
      azure: await azureBucket(t, azurite),
    };
    const env = Object.assign({}, ...Object.values(buckets).map((bucket) => bucket.env)) as Record<
      string,
      string
    >;
    const user = await linkUser(t, env);
    for (const bucket of Object.values(buckets))
      for (const key of ["in/whole", "in/part"]) await bucket.put(key, BEFORE);
    await user.version(async (draft) => {
      for (const [to, { urlOf }] of Object.entries(buckets))
        await draft.addExternalFiles(urlOf("in/"), { to });
    });
    const at = await user.mount();

    for (const [name, bucket] of Object.entries(buckets)) {
      bucket.faults.set([{ fault: { kind: "cut" }, probability: 0.3, seed: 1 }]);
      assert.deepEqual(await readFile(join(at, name, "whole")), BEFORE, name);
      bucket.faults.set([]);
      assert.deepEqual(await readAt(join(at, name, "part"), 10, 10), BEFORE.subarray(10, 20), name);
      await bucket.put("in/part", AFTER);
      await assert.rejects(readAt(join(at, name, "part"), 3 * MiB, 10), isStale, name);
    }
  },
);

test(
  "in a bucket that keeps versions, what was linked is read after it was replaced and removed",
  MOUNTED,
  async (t) => {
    const bucket = await s3Bucket(t, true);
    const user = await linkUser(t, bucket.env);
    await bucket.put("replaced", BEFORE);
    await bucket.put("removed", BEFORE);
    await user.version((draft) => draft.addExternalFiles(bucket.urlOf("")));
    const at = await user.mount();
    await bucket.put("replaced", AFTER);
    await bucket.remove("removed");

    assert.deepEqual(await readFile(join(at, "replaced")), BEFORE);
    assert.deepEqual(await readFile(join(at, "removed")), BEFORE);
    await user.version((draft) => draft.addExternalFiles(bucket.urlOf("replaced")));
    assert.deepEqual(await readFile(join(await user.mount(), "replaced")), AFTER);
  },
);

test("of a folder, wildcards and --no-recursive tell what is linked", MOUNTED, async (t) => {
  const bucket = await s3Bucket(t, false);
  const user = await linkUser(t, bucket.env);
  for (const key of ["in/a.jpg", "in/b.txt", "in/below/c.jpg", "in/below/d.txt"])
    await bucket.put(key, Buffer.from(key));
  const url = bucket.urlOf("in");
  await user.version(async (draft) => {
    await draft.addExternalFiles(url, { to: "pictures", wildcards: ["*.jpg"] });
    await draft.addExternalFiles(url, { to: "below", wildcards: ["below/*"] });
    await draft.addExternalFiles(url, { to: "top", recursive: false });
  });
  const paths = (await readdir(await user.mount(), { recursive: true })).filter((path) =>
    /[.]...$/.test(path),
  );

  assert.deepEqual(paths.sort(), [
    "below/below/c.jpg",
    "below/below/d.txt",
    "pictures/a.jpg",
    "pictures/below/c.jpg",
    "top/a.jpg",
    "top/b.txt",
  ]);
  assert.equal(await textOf(user, "pictures/below/c.jpg"), "in/below/c.jpg");
});
