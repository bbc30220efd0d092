/** External files in buckets: the same of every store, but that one keeps what is replaced. */
import assert from "node:assert/strict";
import { type TestContext, after, test } from "node:test";

import { bytesOfText } from "../../../src/paths.js";
import { isDatasetError } from "../../../src/errors.js";
import { openLinks } from "../../../src/remote/links/links.js";
import { normalizeLinkUrl } from "../../../src/remote/links/link-url.js";
import type { LinkSource, ListedSource } from "../../../src/remote/links/source.js";
import { noise } from "../../content/noise.js";
import { startAzurite, useAzureAccount } from "../../support/azurite.js";
import { type Scope, atEnd } from "../../support/cleanup.js";
import { type ForeignBucket, azureBucket, gcsBucket, s3Bucket } from "../../support/foreign-buckets.js";

const azurite = await startAzurite({ after });
useAzureAccount(azurite);

const STORES: Readonly<Record<string, (t: TestContext) => Promise<ForeignBucket>>> = {
  S3: (t) => s3Bucket(t, false),
  "S3 with versions": (t) => s3Bucket(t, true),
  "Google's store": (t) => gcsBucket(t),
  Azure: (t) => azureBucket(t, azurite),
};
/** No name of varve's own objects, and all of them allowed by each store. */
const KEY = "été/a b+%1.jpg";
const BYTES = noise("bucket", 100_000);

function links(scope: Scope) {
  const opened = openLinks({ baseDelayMs: 1 });
  atEnd(scope, () => opened.close());
  return opened;
}

/** The source at a key, pinned as it is. */
async function pinnedAt(t: TestContext, bucket: ForeignBucket, key: string): Promise<LinkSource> {
  const url = normalizeLinkUrl(bucket.urlOf(key));
  const info = await links(t).look(url);
  assert.ok(info, key);
  return { url, pin: info.pins[0]!, sizeBytes: info.sizeBytes };
}

function isChanged(error: unknown): boolean {
  return isDatasetError(error, "source-changed");
}

for (const [store, open] of Object.entries(STORES)) {
  test(`${store}: an object of any name is read by range with its pin`, async (t) => {
    const bucket = await open(t);
    await bucket.put(KEY, BYTES);
    const source = await pinnedAt(t, bucket, KEY);
    assert.equal(source.sizeBytes, BYTES.length);
    bucket.faults.set([{ fault: { kind: "cut" }, nth: 1 }]);
    assert.deepEqual(Buffer.from(await links(t).read(source, 500, 90_000)), BYTES.subarray(500, 90_000));
    assert.deepEqual(bucket.faults.injected, { cut: 1 });
    assert.equal(await links(t).check(source), "same");
  });

  test(`${store}: an object that was replaced or removed is not read${store.includes("versions") ? ", but as it was" : ""}`, async (t) => {
    const bucket = await open(t);
    const opened = links(t);
    for (const change of ["replaced", "removed"] as const) {
      await bucket.put(change, BYTES);
      const source = await pinnedAt(t, bucket, change);
      if (change === "removed") await bucket.remove(change);
      else await bucket.put(change, noise("another", BYTES.length));
      const read = opened.read(source, 0, 10);
      if (bucket.keeps) {
        assert.deepEqual(Buffer.from(await read), BYTES.subarray(0, 10));
        assert.equal(await opened.check(source), "same");
      } else {
        await assert.rejects(read, isChanged);
        assert.equal(await opened.check(source), change === "removed" ? "missing" : "changed");
      }
    }
  });

  test(`${store}: a pin of a kind that is unknown here is not taken for none`, async (t) => {
    const bucket = await open(t);
    await bucket.put("a", BYTES);
    const source = await pinnedAt(t, bucket, "a");
    await assert.rejects(links(t).read({ ...source, pin: "blake9:00" }, 0, 5), isChanged);
  });

  test(`${store}: a folder lists what lies below it, each with its pin`, async (t) => {
    const bucket = await open(t);
    const keys = ["in/a", "in/b c/d", "in/été", "inside", "out/a"];
    for (const key of keys) await bucket.put(key, Buffer.from(key));
    if (store !== "Azure") await bucket.put("in/folder/", Buffer.alloc(0));
    const opened = links(t);
    const listed: ListedSource[] = [];
    for await (const source of opened.list(normalizeLinkUrl(bucket.urlOf("in/")))) listed.push(source);

    assert.deepEqual(listed.map(({ path }) => path).sort(), ["a", "b c/d", bytesOfText("été")].sort());
    for (const { url, pins, sizeBytes } of listed) {
      const source = { url: normalizeLinkUrl(url), pin: pins[0]!, sizeBytes };
      assert.equal(url, source.url);
      assert.deepEqual(
        source,
        await pinnedAt(t, bucket, decodeURI(new URL(url).pathname).replace(/^.*(?=in\/)/, "")),
      );
      assert.equal((await opened.read(source, 0, sizeBytes)).length, sizeBytes);
    }
  });

  test(`${store}: what is not there is told as such, and a bucket that is not there as a failure`, async (t) => {
    const bucket = await open(t);
    const opened = links(t);
    assert.equal(await opened.look(normalizeLinkUrl(bucket.urlOf("missing"))), undefined);
    assert.equal(await opened.look(normalizeLinkUrl(bucket.urlOf("folder/"))), undefined);
    const nowhere = bucket.urlOf("a").replace(/(?<=\/)(bucket|open|test-[^/]*)(?=\/)/, "nowhere");
    const list = () => opened.list(normalizeLinkUrl(nowhere))[Symbol.asyncIterator]().next();
    await assert.rejects(list, (error) => isDatasetError(error, "remote-refused"));
  });
}
