/** What goes wrong between the adapter and Google's store: it heals, or says at once and in full what to do. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";

import { isDatasetError } from "../../../src/errors.js";
import { withHedging } from "../../../src/remote/hedging.js";
import type { GcsLocation } from "../../../src/remote/gcs/location.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import type { Fault } from "../../support/faults.js";
import type { GcsServer, GcsServerOptions } from "../../support/gcs-server/server.js";
import { gcsEnvironment, gcsRemoteOn, gcsServer, useCredentials } from "../../support/gcs.js";
import { tempDir } from "../../support/temp.js";
import { noiseStream } from "../noise-stream.js";
import { bytes, failure, keysOf } from "../suite.js";

interface Opened {
  server: GcsServer;
  on: (changes?: Partial<GcsLocation>) => ReturnType<typeof gcsRemoteOn>;
}

async function opened(t: TestContext, options?: GcsServerOptions): Promise<Opened> {
  const server = await gcsServer(t, options);
  await useCredentials(t, server);
  return { server, on: (changes) => gcsRemoteOn(t, server, changes) };
}

const QUICKLY = { baseDelayMs: 5, maxDelayMs: 50 };

/** Tokens are the SDK's to ask for, and it has its own patience. */
const REQUESTS = [
  "objects.get", "objects.download", "objects.delete", "objects.list",
  "upload.multipart", "upload.begin", "upload.piece",
]; // prettier-ignore

const HEALING: Readonly<Record<string, Fault>> = {
  "503 backendError": { kind: "status", status: 503, code: "backendError" },
  "500 internalError": { kind: "status", status: 500, code: "internalError" },
  "429 rateLimitExceeded": { kind: "status", status: 429, code: "rateLimitExceeded" },
  "a reset connection": { kind: "reset", when: "before" },
  "a lost answer": { kind: "reset", when: "after" },
  "a body cut short": { kind: "cut" },
  "an answer of wrong bytes": { kind: "wrong-bytes" },
};

for (const [name, fault] of Object.entries(HEALING))
  test(`gcs: ${name}, at a third of the requests, heals in every call`, async (t) => {
    const { server, on } = await opened(t);
    const remote = withRetry(on(), { ...QUICKLY, attempts: 25 });
    server.faults.set([{ fault, probability: 1 / 3, seed: 7, operations: REQUESTS }]);
    const content = noise("healing", 300_000);
    // Bytes of ranges are checked by who knows their hash.
    const reads = fault.kind === "wrong-bytes" ? [] : [[0, 1000] as const, [100_000, 300_000] as const];
    for (let round = 0; round < 6; round++) {
      const key = `packs/${round}`;
      await remote.put(key, content);
      await remote.create(`records/${round}`, bytes(`record ${round}`));
      for (const [start, end] of reads)
        assert.deepEqual(await remote.read(key, start, end), new Uint8Array(content.subarray(start, end)));
      assert.deepEqual(await remote.readWhole(`records/${round}`), bytes(`record ${round}`));
      assert.equal((await remote.stat(key))?.sizeBytes, content.length);
      await remote.delete(key);
    }
    assert.equal((await keysOf(remote, "records/")).length, 6);
    assert.ok(server.faults.injected[fault.kind]! >= 4, JSON.stringify(server.faults.injected));
  });

test("gcs: what Google says with 403 to who asks too often, and with 400 to a damaged body, is tried again", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on(), QUICKLY);
  const answers: [number, string][] = [
    [403, "rateLimitExceeded"],
    [400, "Provided MD5 hash does not match"],
  ];
  for (const [status, code] of answers) {
    server.faults.set([
      { fault: { kind: "status", status, code }, operations: ["upload.multipart"], nth: 1 },
    ]);
    await remote.put("packs/ab", bytes(code));
    assert.deepEqual(await remote.readWhole("packs/ab"), bytes(code));
    assert.deepEqual(server.faults.injected, { status: 1 });
  }
});

test("gcs: a listing of many pages goes on after pages that fail", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on(), QUICKLY);
  const keys = Array.from({ length: 2100 }, (_, index) => `k/${String(index).padStart(5, "0")}`);
  for (const key of keys)
    server.store.bucket("bucket").add({ key, segments: [], sizeBytes: 0, md5: "", crc32c: "", said: {} });
  const unavailable: Fault = { kind: "status", status: 503, code: "backendError" };
  server.faults.set([{ fault: unavailable, operations: ["objects.list"], nth: 2 }]);
  assert.deepEqual(await keysOf(remote, "k/"), keys);
  assert.deepEqual(server.faults.injected, { status: 1 });
});

/** What cannot heal: what the store says, and what the message must tell. */
const REFUSALS: readonly [string, Partial<GcsLocation>, RegExp][] = [
  ["a bucket that is not there", { bucket: "nowhere" }, /there is no bucket "nowhere"; make it first.*HTTP 404/],
  ["a bucket that takes no strangers", { anonymous: true }, /does not accept the credentials, or wants some; check GOOGLE_APPLICATION_CREDENTIALS.*HTTP 401/],
]; // prettier-ignore

for (const [name, changes, message] of REFUSALS)
  test(`gcs: ${name} is refused at the first request, and the message says what to do`, async (t) => {
    const { server, on } = await opened(t);
    const remote = withRetry(on(changes));
    await assert.rejects(remote.readWhole("varve.json"), { code: "remote-refused", message });
    await assert.rejects(remote.create("varve.json", bytes("{}")), { code: "remote-refused", message });
    assert.equal(server.counts.byOperation["objects.download"]!.requests, 1);
    assert.equal(server.counts.byOperation["upload.multipart"]!.requests, 1);
  });

test("gcs: no permission is refused at once, and the message names the bucket", async (t) => {
  const { server, on } = await opened(t);
  server.faults.set([{ fault: { kind: "status", status: 403, code: "forbidden" }, operations: REQUESTS }]);
  await assert.rejects(withRetry(on()).stat("a"), {
    code: "remote-refused",
    message: /access is denied; .*"bucket" \(forbidden, HTTP 403\)/,
  });
  assert.deepEqual(server.faults.injected, { status: 1 });
});

test("gcs: a public bucket is read without credentials", async (t) => {
  const { on } = await opened(t, { publicBuckets: ["open"] });
  const remote = on({ bucket: "open", anonymous: true });
  await remote.put("a", bytes("hello"));
  assert.deepEqual(await remote.read("a", 1, 4), bytes("ell"));
});

test("gcs: a store that cannot be reached fails, after retries, with where it was sought", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on({ anonymous: true }), QUICKLY);
  await server.close();
  await assert.rejects(remote.readWhole("a"), {
    code: "remote-failed",
    message: /^Cannot read "a" in gs:\/\/bucket: .*ECONNREFUSED/,
  });
});

/** Credentials that give no token: the file, and what the message must tell. */
const UNUSABLE: readonly [string, (environment: Record<string, string>) => Promise<unknown>, RegExp][] = [
  ["that are refused", async () => undefined, /give no access \(invalid_grant\); check GOOGLE_APPLICATION_CREDENTIALS/],
  ["in a file that is damaged", async ({ GOOGLE_APPLICATION_CREDENTIALS: file }) => writeFile(file!, '{"private_key": planted-secret'), /give no access \(they cannot be read\)/],
  ["in a file that is not there", async (environment) => { environment["GOOGLE_APPLICATION_CREDENTIALS"] = "/none/such"; }, /give no access \(ENOENT\); check/],
  ["that nobody has set up", async (environment) => { environment["GOOGLE_APPLICATION_CREDENTIALS"] = ""; }, /no credentials were found; set GOOGLE_APPLICATION_CREDENTIALS/],
]; // prettier-ignore

for (const [name, spoil, message] of UNUSABLE)
  test(`gcs: credentials ${name} are refused with what to do, and no failure shows a secret`, async (t) => {
    const server = await gcsServer(t);
    const environment = await gcsEnvironment(t, { ...server, subjectToken: "planted-secret" });
    await spoil(environment);
    Object.assign(process.env, environment, { HOME: await tempDir(t) });
    const remote = withRetry(gcsRemoteOn(t, server));
    const error: unknown = await remote.readWhole("a").catch((reason: unknown) => reason);
    assert.ok(isDatasetError(error, "remote-refused"), inspect(error));
    assert.match(error.message, message);
    checkSecretless(error, ["planted-secret"]);
  });

test("gcs: no failure shows a token, however deep one looks", async (t) => {
  const { server, on } = await opened(t);
  await on().put("a", bytes("hello"));
  const status = (code: number): Fault => ({ kind: "status", status: code, code: "planted" });
  const faults: Fault[] = [status(401), status(403), status(503), { kind: "reset", when: "before" }];
  for (const fault of faults) {
    const remote = on();
    await remote.stat("a");
    server.faults.set([{ fault, operations: REQUESTS }]);
    const calls = [
      () => remote.readWhole("a"),
      () => remote.read("a", 0, 5),
      () => remote.put("a", bytes("x")),
      () => remote.create("a", bytes("x")),
      () => remote.delete("a"),
      () => keysOf(remote, ""),
      () => remote.put("big", { sizeBytes: 17 * MiB, chunks: () => noiseStream(17 * MiB) }),
    ];
    for (const call of calls) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      assert.ok(isDatasetError(error));
      checkSecretless(error, ["Bearer", "given-", server.subjectToken, "upload_id"]);
    }
    server.faults.set([]);
  }
});

function checkSecretless(error: unknown, secrets: readonly string[]): void {
  const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true });
  for (const secret of secrets) assert.ok(!shown.includes(secret), shown);
}

test("gcs: a small read that stalls is asked for again, and its answer comes long before the first's", async (t) => {
  const { server, on } = await opened(t);
  const remote = withHedging(on());
  await remote.put("packs/ab", noise("hedged", 200_000));
  for (let round = 0; round < 20; round++) await remote.read("packs/ab", round, round + 1000);
  for (const where of ["answer", "body"] as const) {
    server.counts.reset();
    server.faults.set([{ fault: { kind: "stall", where }, operations: ["objects.download"], nth: 1 }]);
    const got = await remote.read("packs/ab", 1000, 100_000);
    assert.deepEqual(got, new Uint8Array(noise("hedged", 200_000).subarray(1000, 100_000)));
    assert.equal(server.counts.byOperation["objects.download"]!.requests, 2, where);
  }
});

test("gcs: a request of which nothing comes is given up at its deadline and made again", async (t) => {
  const { server } = await opened(t);
  const remote = withRetry(gcsRemoteOn(t, server, {}, { silenceMs: 300 }), QUICKLY);
  const content = noise("silent", 1 * MiB);
  await remote.put("packs/ab", content);
  for (const where of ["answer", "body"] as const) {
    server.faults.set([{ fault: { kind: "stall", where }, operations: REQUESTS, nth: 1 }]);
    assert.deepEqual(await remote.read("packs/ab", 0, 1 * MiB), new Uint8Array(content));
    assert.deepEqual(server.faults.injected, { stall: 1 });
  }
});

test("gcs: a request that is cancelled while its answer comes ends at once", async (t) => {
  const { server, on } = await opened(t);
  const remote = on();
  await remote.put("packs/ab", noise("cancelled", 1 * MiB));
  for (const where of ["answer", "body"] as const) {
    server.faults.set([{ fault: { kind: "stall", where }, operations: REQUESTS }]);
    const controller = new AbortController();
    const read = remote.read("packs/ab", 0, 1 * MiB, controller);
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(read, failure("cancelled"), where);
  }
});
