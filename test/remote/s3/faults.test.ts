/** What goes wrong between the adapter and its store: it heals, or says at once and in full what to do. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

import { isDatasetError } from "../../../src/errors.js";
import { withHedging } from "../../../src/remote/hedging.js";
import type { S3Location } from "../../../src/remote/s3/location.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import type { Fault, FaultRule } from "../../support/faults.js";
import { newObject } from "../../support/s3-server/objects.js";
import type { S3Server, S3ServerOptions } from "../../support/s3-server/server.js";
import { s3RemoteOn, s3Server, useAccount } from "../../support/s3.js";
import { bytes, failure, keysOf } from "../suite.js";

interface Opened {
  server: S3Server;
  on: (changes?: Partial<S3Location>) => ReturnType<typeof s3RemoteOn>;
}

async function opened(t: TestContext, options?: S3ServerOptions): Promise<Opened> {
  const server = await s3Server(t, options);
  useAccount(server);
  return { server, on: (changes) => s3RemoteOn(t, server, changes) };
}

const QUICKLY = { baseDelayMs: 5, maxDelayMs: 50 };

const SLOW_DOWN: Fault = { kind: "status", status: 503, code: "SlowDown" };
const HEALING: Readonly<Record<string, Fault>> = {
  "503 SlowDown": SLOW_DOWN,
  "500 InternalError": { kind: "status", status: 500, code: "InternalError" },
  "429 TooManyRequests": { kind: "status", status: 429, code: "TooManyRequests" },
  "a reset connection": { kind: "reset", when: "before" },
  "a lost answer": { kind: "reset", when: "after" },
  "a body cut short": { kind: "cut" },
  "an answer of wrong bytes": { kind: "wrong-bytes" },
};

for (const [name, fault] of Object.entries(HEALING))
  test(`${name}, at a third of the requests, heals in every call`, async (t) => {
    const { server, on } = await opened(t);
    const remote = withRetry(on({ checksums: false }), { ...QUICKLY, attempts: 25 });
    server.faults.set([{ fault, probability: 1 / 3, seed: 7 }]);
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

test("a listing of many pages goes on after pages that fail", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on(), { ...QUICKLY, attempts: 10 });
  const keys = Array.from({ length: 2100 }, (_, index) => `k/${String(index).padStart(5, "0")}`);
  const empty = { segments: [], sizeBytes: 0, etag: '"0"', checksums: {} };
  for (const key of keys) server.store.bucket("bucket").add({ ...newObject(key, {}), ...empty });
  server.faults.set([{ fault: SLOW_DOWN, operations: ["ListObjectsV2"], nth: 2 }]);
  assert.deepEqual(await keysOf(remote, "k/"), keys);
  assert.deepEqual(server.faults.injected, { status: 1 });
});

test("a body that the store waited for in vain, or got damaged, is sent again", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on(), QUICKLY);
  const codes = ["RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch"];
  for (const code of codes) {
    server.faults.set([{ fault: { kind: "status", status: 400, code }, operations: ["PutObject"], nth: 1 }]);
    await remote.put("packs/ab", bytes(code));
    assert.deepEqual(await remote.readWhole("packs/ab"), bytes(code));
    assert.deepEqual(server.faults.injected, { status: 1 });
  }
});

test("a conflict at a conditional create is put again, and ends with one object", async (t) => {
  const { server, on } = await opened(t);
  const conflict: Fault = { kind: "status", status: 409, code: "ConditionalRequestConflict" };
  server.faults.set([{ fault: conflict, probability: 0.5, seed: 3, operations: ["PutObject"] }]);
  const remote = withRetry(on(), { ...QUICKLY, attempts: 40 });
  const racers = Array.from({ length: 20 }, (_, index) => bytes(`racer ${index}`));
  const results = await Promise.allSettled(racers.map((racer) => remote.create("names/a", racer)));
  const winners = racers.filter((_, index) => results[index]?.status === "fulfilled");
  assert.deepEqual(winners, [await remote.readWhole("names/a")]);
  for (const result of results) if (result.status === "rejected") failure("object-exists")(result.reason);
});

/** What cannot heal: what the store says, and what the message must tell. */
const REFUSALS: readonly [string, Partial<S3Location>, RegExp][] = [
  ["a bucket that is not there", { bucket: "nowhere" }, /there is no bucket "nowhere"; make it first.*NoSuchBucket, HTTP 404/],
  ["a bucket of another region", { region: "eu-west-1" }, /in the region "us-east-1", not in "eu-west-1"; add \?region=us-east-1/],
  ["a bucket that takes no strangers", { anonymous: true }, /access is denied; .*"bucket" \(AccessDenied, HTTP 403\)/],
]; // prettier-ignore

for (const [name, changes, message] of REFUSALS)
  test(`${name} is refused at the first request, and the message says what to do`, async (t) => {
    const { server, on } = await opened(t);
    const remote = withRetry(on(changes));
    await assert.rejects(remote.readWhole("varve.json"), { code: "remote-refused", message });
    await assert.rejects(remote.create("varve.json", bytes("{}")), { code: "remote-refused", message });
    const asked = Object.values(server.counts.byOperation).map(({ requests }) => requests);
    assert.deepEqual(asked, [1, 1]);
  });

test("a public bucket is read without credentials", async (t) => {
  const { on } = await opened(t, { publicBuckets: ["open"] });
  const remote = on({ bucket: "open", anonymous: true });
  await remote.put("a", bytes("hello"));
  assert.deepEqual(await remote.read("a", 1, 4), bytes("ell"));
});

test("a machine whose clock is an hour off signs by the store's clock from its second request on", async (t) => {
  const { on } = await opened(t, { now: () => Date.now() + 3_600_000 });
  const remote = withRetry(on(), QUICKLY);
  await remote.put("a", bytes("hello"));
  assert.deepEqual(await remote.readWhole("a"), bytes("hello"));
});

test("a store that cannot be reached fails, after retries, with where it was sought", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on(), QUICKLY);
  await server.close();
  await assert.rejects(remote.readWhole("a"), {
    code: "remote-failed",
    message: /^Cannot read "a" in s3:\/\/bucket: .*ECONNREFUSED/,
  });
});

test("no failure shows a secret, however deep one looks", async (t) => {
  const { server, on } = await opened(t);
  const { secretAccessKey } = server.account;
  process.env["AWS_SESSION_TOKEN"] = "planted-session-token";
  t.after(() => delete process.env["AWS_SESSION_TOKEN"]);
  const status = (code: number): Fault => ({ kind: "status", status: code, code: "Planted" });
  for (const fault of [
    status(403),
    status(400),
    status(503),
    { kind: "reset", when: "before" } as const,
    { kind: "cut" } as const,
  ]) {
    server.faults.set([{ fault }]);
    const remote = withRetry(on(), { attempts: 1 });
    const calls = [
      () => remote.readWhole("a"),
      () => remote.read("a", 0, 5),
      () => remote.put("a", bytes("x")),
      () => remote.create("a", bytes("x")),
      () => remote.delete("a"),
      () => keysOf(remote, ""),
      () => remote.put("big", { sizeBytes: 20 * MiB, chunks: async function* () { yield noise("big", 20 * MiB); } }),
    ]; // prettier-ignore
    for (const call of calls) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      if (fault.kind !== "cut") assert.ok(isDatasetError(error));
      const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true });
      for (const secret of [secretAccessKey, "planted-session-token", "Signature=", "AWS4-HMAC"])
        assert.ok(!shown.includes(secret), shown);
    }
  }
});

test("a small read that stalls is asked for again, and its answer comes long before the first's", async (t) => {
  const { server, on } = await opened(t);
  const remote = withHedging(on());
  await remote.put("packs/ab", noise("hedged", 200_000));
  for (let round = 0; round < 20; round++) await remote.read("packs/ab", round, round + 1000);
  for (const where of ["answer", "body"] as const) {
    server.counts.reset();
    server.faults.set([{ fault: { kind: "stall", where }, operations: ["GetObject"], nth: 1 }]);
    const startMs = performance.now();
    const got = await remote.read("packs/ab", 1000, 100_000);
    assert.deepEqual(got, new Uint8Array(noise("hedged", 200_000).subarray(1000, 100_000)));
    assert.ok(performance.now() - startMs < 5_000);
    assert.equal(server.counts.byOperation["GetObject"]!.requests, 2, where);
  }
});

test("a store that is slow for all is not asked twice for all", async (t) => {
  const { server, on } = await opened(t);
  const remote = withHedging(on(), { minMs: 20 });
  await remote.put("packs/ab", noise("hedged", 200_000));
  for (let round = 0; round < 20; round++) await remote.read("packs/ab", round, round + 1000);
  const slow: FaultRule = { fault: { kind: "latency", ms: 400 }, operations: ["GetObject"] };
  server.counts.reset();
  server.faults.set([slow]);
  await Promise.all(Array.from({ length: 60 }, (_, index) => remote.read("packs/ab", index, index + 10)));
  const { requests } = server.counts.byOperation["GetObject"]!;
  assert.ok(requests > 60 && requests <= 68, String(requests));
});

test("a request of which nothing comes is given up at its deadline and made again", async (t) => {
  const { server } = await opened(t);
  const remote = withRetry(s3RemoteOn(t, server, {}, { silenceMs: 300 }), QUICKLY);
  const content = noise("silent", 1 * MiB);
  await remote.put("packs/ab", content);
  for (const where of ["answer", "body"] as const) {
    server.faults.set([{ fault: { kind: "stall", where }, nth: 1 }]);
    assert.deepEqual(await remote.read("packs/ab", 0, 1 * MiB), new Uint8Array(content));
    server.faults.set([{ fault: { kind: "stall", where: "answer" }, nth: 1 }]);
    await remote.put("packs/ab", content);
  }
});

test("an answer that takes longer than the deadline, but never pauses for so long, is waited for", async (t) => {
  const { server } = await opened(t);
  const remote = s3RemoteOn(t, server, {}, { silenceMs: 500 });
  await remote.put("packs/ab", noise("slow", 4 * MiB));
  server.faults.set([{ fault: { kind: "bandwidth", bytesPerSecond: 3 * MiB } }]);
  assert.equal((await remote.read("packs/ab", 0, 4 * MiB)).length, 4 * MiB);
});

test("what is cancelled while it waits for a connection is never sent", async (t) => {
  const { server, on } = await opened(t);
  const remote = on();
  server.faults.set([{ fault: { kind: "stall", where: "answer" }, operations: ["GetObject"] }]);
  const controller = new AbortController();
  const all = Array.from({ length: 70 }, (_, index) => remote.read(`packs/${index}`, 0, 5, controller));
  all.push(remote.put("late", bytes("x"), controller).then(() => bytes("")));
  const reads = () => server.counts.byOperation["GetObject"]?.requests ?? 0;
  while (reads() < 64) await sleep(5);
  await sleep(50);
  controller.abort();
  for (const result of await Promise.allSettled(all)) assert.equal(result.status, "rejected");
  await remote.put("after", bytes("x"));
  assert.equal(reads(), 64);
  assert.equal(server.counts.byOperation["PutObject"]!.requests, 1);
});

test("a request that is cancelled while its answer comes ends at once, and its connection with it", async (t) => {
  const { server, on } = await opened(t);
  const remote = on();
  await remote.put("packs/ab", noise("cancelled", 1 * MiB));
  for (const where of ["answer", "body"] as const) {
    server.faults.set([{ fault: { kind: "stall", where } }]);
    const controller = new AbortController();
    const read = remote.read("packs/ab", 0, 1 * MiB, controller);
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(read, failure("cancelled"), where);
  }
});
