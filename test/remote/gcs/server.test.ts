/** The server that GCS tests run against is as strict as Google's: what it lets pass, the adapter's tests would not see. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";

import { type Bucket, Storage } from "@google-cloud/storage";

import { noise } from "../../content/noise.js";
import type { GcsServer } from "../../support/gcs-server/server.js";
import { gcsServer } from "../../support/gcs.js";

const KiB = 1024;
const ONCE = { resumable: false, validation: false } as const;

/** The SDK, which is what Google's own tools are. */
async function started(t: TestContext): Promise<{ server: GcsServer; bucket: Bucket }> {
  const server = await gcsServer(t, { publicBuckets: ["open"] });
  const retryOptions = { autoRetry: false };
  const storage = new Storage({ apiEndpoint: server.endpoint, projectId: "p", retryOptions });
  return { server, bucket: storage.bucket("open") };
}

/** For `assert.rejects`: the store's status. */
function refused(status: number) {
  return (error: unknown) => {
    const { code, status: other } = error as { code?: number; status?: number };
    assert.equal(code ?? other, status);
    return true;
  };
}

test("gcs server: a request without a token, or with a wrong one, is refused", async (t) => {
  const { server } = await started(t);
  const list = (headers: Record<string, string>) =>
    fetch(`${server.endpoint}/storage/v1/b/bucket/o`, { headers });
  assert.equal((await list({})).status, 401);
  assert.equal((await list({ authorization: "Bearer guessed" })).status, 401);
  const token = (subject: string) =>
    fetch(`${server.endpoint}/token`, {
      method: "POST",
      body: new URLSearchParams({ subject_token: subject }),
    });
  assert.equal((await token("wrong")).status, 400);
  const given = (await (await token(server.subjectToken)).json()) as { access_token: string };
  assert.equal((await list({ authorization: `Bearer ${given.access_token}` })).status, 200);
});

test("gcs server: objects are written once and by resumable uploads, read whole and in ranges, and deleted", async (t) => {
  const { bucket } = await started(t);
  const content = noise("object", 700 * KiB);
  for (const options of [ONCE, { resumable: true }, { resumable: true, chunkSize: 256 * KiB }]) {
    const file = bucket.file("a/odd ü%/name");
    await file.save(content, options); // It compares the hashes.
    assert.deepEqual((await file.download())[0], content);
    assert.deepEqual((await file.download({ start: 10, end: 19 }))[0], content.subarray(10, 20));
    await assert.rejects(file.download({ start: content.length, end: content.length + 1 }), refused(416));
    const [{ size, md5Hash }] = await file.getMetadata();
    assert.deepEqual(
      [Number(size), md5Hash],
      [content.length, createHash("md5").update(content).digest("base64")],
    );
    await file.delete();
    await assert.rejects(file.getMetadata(), refused(404));
  }
});

test("gcs server: conditions hold at the beginning and at the end of a write", async (t) => {
  const { server, bucket } = await started(t);
  const file = bucket.file("a");
  const whenNone = { preconditionOpts: { ifGenerationMatch: 0 } };
  const saves = Array.from({ length: 20 }, (_, index) =>
    bucket.file("a").save(`racer ${index}`, { ...ONCE, ...whenNone }),
  );
  const won = (await Promise.allSettled(saves)).filter(({ status }) => status === "fulfilled");
  assert.equal(won.length, 1);
  await assert.rejects(file.save("again", { resumable: true, ...whenNone }), refused(412));
  const [{ generation }] = await file.getMetadata();
  await file.save("second", { ...ONCE, preconditionOpts: { ifGenerationMatch: generation! } });
  await assert.rejects(
    file.save("third", { ...ONCE, preconditionOpts: { ifGenerationMatch: generation! } }),
    refused(412),
  );

  const [uri] = await bucket.file("b").createResumableUpload(whenNone);
  await bucket.file("b").save("meanwhile", ONCE);
  const body = Buffer.from("too late");
  const late = await fetch(uri, { method: "PUT", body, headers: { "content-range": "bytes 0-7/8" } });
  assert.equal(late.status, 412);
  assert.equal(server.sessions.size, 0);
});

test("gcs server: bytes that are not what was announced are refused, and nothing is stored", async (t) => {
  const { bucket } = await started(t);
  const wrong = createHash("md5").update("other").digest("base64");
  await assert.rejects(
    bucket.file("a").save("bytes", { ...ONCE, metadata: { md5Hash: wrong } }),
    refused(400),
  );
  await assert.rejects(
    bucket.file("a").save("bytes", { ...ONCE, metadata: { crc32c: "AAAAAA==" } }),
    refused(400),
  );
  const [uri] = await bucket.file("a").createResumableUpload();
  const headers = { "content-range": "bytes 0-4/5", "x-goog-hash": `md5=${wrong}` };
  assert.equal((await fetch(uri, { method: "PUT", body: "bytes", headers })).status, 400);
  assert.deepEqual((await bucket.getFiles())[0], []);
});

test("gcs server: an unfinished upload keeps whole blocks of 256 KiB, tells how far it is, and takes no gap", async (t) => {
  const { bucket } = await started(t);
  const content = noise("resumable", 400 * KiB);
  const [uri] = await bucket.file("a").createResumableUpload();
  const put = async (range: string, body: Buffer = Buffer.alloc(0)) => {
    const answer = await fetch(uri, { method: "PUT", body, headers: { "content-range": range } });
    await answer.text();
    return [answer.status, answer.headers.get("range")];
  };
  const total = content.length;
  assert.deepEqual(await put(`bytes */${total}`), [308, null]);
  const first = content.subarray(0, 300 * KiB);
  assert.deepEqual(await put(`bytes 0-${first.length - 1}/${total}`, first), [
    308,
    `bytes=0-${256 * KiB - 1}`,
  ]);
  assert.deepEqual(await put(`bytes ${first.length}-${total - 1}/${total}`, content.subarray(first.length)), [400, null]); // prettier-ignore
  assert.deepEqual(await put(`bytes */${total}`), [308, `bytes=0-${256 * KiB - 1}`]);
  assert.deepEqual(await put(`bytes 1024-${total - 1}/${total}`, content.subarray(1024)), [200, null]);
  assert.deepEqual(await put(`bytes */${total}`), [200, null]);
  assert.deepEqual((await bucket.file("a").download())[0], content);
});

test("gcs server: listings come in pages, with prefixes, from a key on, and with no more than the fields asked for", async (t) => {
  const { server, bucket } = await started(t);
  const names = ["a/1", "a/2", "b/1", "c", "d"];
  for (const name of names) await bucket.file(name).save(name, ONCE);
  const seen: string[] = [];
  let query: object | null = { maxResults: 2, autoPaginate: false };
  for (; query;) {
    const [files, next] = (await bucket.getFiles(query)) as unknown as [{ name: string }[], object | null];
    seen.push(...files.map(({ name }) => name));
    query = next;
  }
  assert.deepEqual(seen, names);
  const list = async (settings: Record<string, string>): Promise<unknown> => {
    const asked = new URLSearchParams(settings).toString();
    return (await fetch(`${server.endpoint}/storage/v1/b/open/o?${asked}`)).json();
  };
  const fields = "prefixes,items(name)";
  assert.deepEqual(await list({ delimiter: "/", fields }), {
    prefixes: ["a/", "b/"],
    items: [{ name: "c" }, { name: "d" }],
  });
  assert.deepEqual(await list({ startOffset: "c", fields }), { items: [{ name: "c" }, { name: "d" }] });
  assert.deepEqual(await list({ prefix: "a/", fields: "items(size)" }), {
    items: [{ size: "3" }, { size: "3" }],
  });
});
