/** What goes wrong between the adapter and Azure: it heals, or says at once and in full what to do. */
import assert from "node:assert/strict";
import { type TestContext, after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

import { generateBlobSASQueryParameters, ContainerSASPermissions, StorageSharedKeyCredential } from "@azure/storage-blob"; // prettier-ignore

import { isDatasetError } from "../../../src/errors.js";
import type { AzureLocation } from "../../../src/remote/azure/location.js";
import { withHedging } from "../../../src/remote/hedging.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { type AzureContainer, azureContainer, azureEnvironment, azureRemoteOn, startAzurite, useAzureAccount } from "../../support/azurite.js"; // prettier-ignore
import type { Fault } from "../../support/faults.js";
import { bytes, failure, keysOf } from "../suite.js";

const azurite = await startAzurite({ after });
useAzureAccount(azurite);

interface Opened {
  server: AzureContainer;
  on: (changes?: Partial<AzureLocation>) => ReturnType<typeof azureRemoteOn>;
}

async function opened(t: TestContext): Promise<Opened> {
  const server = await azureContainer(t, azurite);
  return { server, on: (changes) => azureRemoteOn(t, server, changes) };
}

/** Sets variables of the environment until the test ends. */
function withEnvironment(t: TestContext, changes: Record<string, string>): void {
  Object.assign(process.env, changes);
  t.after(() => useAzureAccount(azurite));
}

/** A shared access signature for a container, made with the account's key. */
function signatureFor({ account, key, container }: AzureContainer, permissions: string): string {
  const values = {
    containerName: container,
    permissions: ContainerSASPermissions.parse(permissions),
    expiresOn: new Date(Date.now() + 600_000),
  };
  return generateBlobSASQueryParameters(values, new StorageSharedKeyCredential(account, key)).toString();
}

const QUICKLY = { baseDelayMs: 5, maxDelayMs: 50 };

const HEALING: Readonly<Record<string, Fault>> = {
  "503 ServerBusy": { kind: "status", status: 503, code: "ServerBusy" },
  "500 OperationTimedOut": { kind: "status", status: 500, code: "OperationTimedOut" },
  "429 TooManyRequests": { kind: "status", status: 429, code: "TooManyRequests" },
  "400 Md5Mismatch": { kind: "status", status: 400, code: "Md5Mismatch" },
  "a reset connection": { kind: "reset", when: "before" },
  "a lost answer": { kind: "reset", when: "after" },
  "a body cut short": { kind: "cut" },
  "an answer of wrong bytes": { kind: "wrong-bytes" },
};

for (const [name, fault] of Object.entries(HEALING))
  test(`${name}, at a third of the requests, heals in every call`, async (t) => {
    const { server, on } = await opened(t);
    const remote = withRetry(on(), { ...QUICKLY, attempts: 25 });
    const content = noise("healing", 300_000);
    // Bytes of ranges are checked by who knows their hash, and a listing has none.
    const isDamage = fault.kind === "wrong-bytes";
    const operations = isDamage ? ["GetBlob"] : undefined;
    server.faults.set([{ fault, probability: 1 / 3, seed: 7, ...(operations && { operations }) }]);
    const reads = isDamage ? [] : [[0, 1000] as const, [100_000, 300_000] as const];
    for (let round = 0; round < 5; round++) {
      const key = `packs/${round}`;
      await remote.put(key, content);
      await remote.create(`records/${round}`, bytes(`record ${round}`));
      for (const [start, end] of reads)
        assert.deepEqual(await remote.read(key, start, end), new Uint8Array(content.subarray(start, end)));
      for (const part of [0, 1, 2]) await remote.readWhole(`records/${round}`).then((got) => assert.deepEqual(got, bytes(`record ${round}`), String(part))); // prettier-ignore
      assert.equal((await remote.stat(key))?.sizeBytes, content.length);
      await remote.delete(key);
    }
    assert.equal((await keysOf(remote, "records/")).length, 5);
    assert.ok(server.faults.injected[fault.kind]! >= 4, JSON.stringify(server.faults.injected));
  });

test("a listing that breaks off goes on at the page where it was", async (t) => {
  const { server, on } = await opened(t);
  const keys = Array.from({ length: 12 }, (_, index) => `k/${String(index).padStart(2, "0")}`);
  for (const key of keys) await on().put(key, bytes(""));
  const remote = azureRemoteOn(t, server, {}, { pageObjects: 5 });
  const refusal: Fault = { kind: "status", status: 503, code: "ServerBusy" };
  server.counts.reset();
  server.faults.set([{ fault: refusal, operations: ["ListBlobs"], nth: 3 }]);
  assert.deepEqual(await keysOf(withRetry(remote, QUICKLY), "k/"), keys);
  assert.equal(server.counts.byOperation["ListBlobs"]!.requests, 4);
  server.counts.reset();
  assert.deepEqual(await keysOf(remote, "k/", "k/10"), ["k/11"]);
  assert.equal(server.counts.byOperation["ListBlobs"]!.requests, 1);
});

test("of twenty who create one key in spite of conflicts and lost answers, one wins", async (t) => {
  const { server, on } = await opened(t);
  server.faults.set([{ fault: { kind: "reset", when: "after" }, probability: 0.5, seed: 3 }]);
  const remote = withRetry(on(), { ...QUICKLY, attempts: 100 });
  const racers = Array.from({ length: 20 }, (_, index) => bytes(`racer ${index}`));
  const results = await Promise.allSettled(racers.map((racer) => remote.create("names/a", racer)));
  const winners = racers.filter((_, index) => results[index]?.status === "fulfilled");
  assert.deepEqual(winners, [await remote.readWhole("names/a")]);
  for (const result of results) if (result.status === "rejected") failure("object-exists")(result.reason);
});

test("a lost race that the store calls an unmet condition is lost as well", async (t) => {
  const { server, on } = await opened(t);
  server.faults.set([{ fault: { kind: "status", status: 412, code: "ConditionNotMet" } }]);
  await assert.rejects(on().create("names/a", bytes("x")), failure("object-exists"));
});

/** What cannot heal: the environment, the URL, and what the message must tell. */
const REFUSALS: readonly [string, Record<string, string>, Partial<AzureLocation>, RegExp][] = [
  ["a container that is not there", {}, { container: "nowhere" }, /there is no container "nowhere"; make it first.*ContainerNotFound, HTTP 404/],
  ["a wrong key", { AZURE_STORAGE_KEY: "d3Jvbmc=" }, {}, /the key does not fit the account "varvetest".*AZURE_STORAGE_KEY/],
  ["a container that is not public", {}, { anonymous: true }, /leave \?anonymous=1 out|lets nobody in without/],
  ["a signature that would be shown to a stranger", { AZURE_STORAGE_KEY: "", AZURE_STORAGE_SAS_TOKEN: "sv=1&sig=x" }, { endpoint: "https://blob.core.windows.net.test" }, /shown to Azure and to this machine only/],
  ["a machine without any credentials", { AZURE_STORAGE_KEY: "" }, {}, /no credentials were found; set AZURE_STORAGE_KEY|https:\/\/ only/],
]; // prettier-ignore

for (const [name, env, changes, message] of REFUSALS)
  test(`${name} is refused at the first request, and the message says what to do`, async (t) => {
    const { server, on } = await opened(t);
    withEnvironment(t, env);
    const remote = withRetry(on(changes));
    await assert.rejects(remote.readWhole("varve.json"), { code: "remote-refused", message });
    await assert.rejects(remote.create("varve.json", bytes("{}")), { code: "remote-refused", message });
    await assert.rejects(remote.stat("varve.json"), { code: "remote-refused" });
    for (const { requests } of Object.values(server.counts.byOperation)) assert.equal(requests, 1);
  });

test("a shared access signature and a connection string open what the key does", async (t) => {
  const { server, on } = await opened(t);
  const { account, key } = server;
  const signature = signatureFor(server, "racwdl");
  for (const env of [
    { AZURE_STORAGE_SAS_TOKEN: signature },
    { AZURE_STORAGE_SAS_TOKEN: `?${signature}` },
    { AZURE_STORAGE_CONNECTION_STRING: `AccountName=${account};AccountKey=${key}` },
    { AZURE_STORAGE_CONNECTION_STRING: `AccountName=${account};SharedAccessSignature=${signature}` },
  ]) {
    withEnvironment(t, { AZURE_STORAGE_KEY: "", AZURE_STORAGE_SAS_TOKEN: "", AZURE_STORAGE_CONNECTION_STRING: "", ...env }); // prettier-ignore
    const remote = on();
    await remote.put("a b", bytes("hello"));
    assert.deepEqual(await remote.readWhole("a b"), bytes("hello"));
    assert.deepEqual(await keysOf(remote, ""), ["a b"]);
    await remote.delete("a b");
  }
});

test("a store that cannot be reached fails, after retries, with where it was sought", async (t) => {
  const { server, on } = await opened(t);
  const remote = withRetry(on(), QUICKLY);
  await server.close();
  await assert.rejects(remote.readWhole("a"), {
    code: "remote-failed",
    message: /^Cannot read "a" in azure:\/\/varvetest\/test-.*ECONNREFUSED/,
  });
});

test("no failure shows a secret, however deep one looks", async (t) => {
  const { server, on } = await opened(t);
  const status = (code: number): Fault => ({ kind: "status", status: code, code: "Planted" });
  const signature = signatureFor(server, "racwdl");
  const secrets = [server.key, /sig=([^&]*)/.exec(signature)![1]!, "SharedKey", "?sv="];
  for (const env of [{}, { AZURE_STORAGE_KEY: "", AZURE_STORAGE_SAS_TOKEN: signature }])
    for (const fault of [status(403), status(400), status(503), { kind: "reset", when: "before" } as const]) {
      withEnvironment(t, { ...azureEnvironment(azurite), ...env });
      server.faults.set([{ fault }]);
      const remote = withRetry(on(), { attempts: 1 });
      const calls = [
        () => remote.readWhole("a"),
        () => remote.read("a", 0, 5),
        () => remote.put("a", bytes("x")),
        () => remote.create("a", bytes("x")),
        () => remote.delete("a"),
        () => keysOf(remote, ""),
      ];
      for (const call of calls) {
        const error: unknown = await call().catch((reason: unknown) => reason);
        assert.ok(isDatasetError(error), inspect(error));
        const shown = inspect(error, { depth: Infinity, showHidden: true, getters: true });
        for (const secret of secrets) assert.ok(!shown.includes(secret), shown);
      }
    }
});

test("a small read that stalls is asked for again, and its answer comes long before the first's", async (t) => {
  const { server, on } = await opened(t);
  const remote = withHedging(on());
  const content = noise("hedged", 200_000);
  await remote.put("packs/ab", content);
  for (let round = 0; round < 20; round++) await remote.read("packs/ab", round, round + 1000);
  for (const where of ["answer", "body"] as const) {
    server.counts.reset();
    server.faults.set([{ fault: { kind: "stall", where }, operations: ["GetBlob"], nth: 1 }]);
    const startMs = performance.now();
    assert.deepEqual(await remote.read("packs/ab", 1000, 100_000), new Uint8Array(content.subarray(1000, 100_000))); // prettier-ignore
    assert.ok(performance.now() - startMs < 5_000);
    assert.equal(server.counts.byOperation["GetBlob"]!.requests, 2, where);
  }
});

test("a request of which nothing comes is given up at its deadline and made again", async (t) => {
  const { server } = await opened(t);
  const remote = withRetry(azureRemoteOn(t, server, {}, { silenceMs: 300 }), QUICKLY);
  const content = noise("silent", 1 * MiB);
  await remote.put("packs/ab", content);
  for (const where of ["answer", "body"] as const) {
    server.faults.set([{ fault: { kind: "stall", where }, nth: 1 }]);
    assert.deepEqual(await remote.read("packs/ab", 0, 1 * MiB), new Uint8Array(content));
    assert.equal(server.faults.injected["stall"], 1);
  }
});

test("a request that is cancelled while its answer comes ends at once", async (t) => {
  const { server, on } = await opened(t);
  const remote = on();
  await remote.put("packs/ab", noise("cancelled", 1 * MiB));
  for (const where of ["answer", "body"] as const) {
    server.faults.set([{ fault: { kind: "stall", where } }]);
    const controller = new AbortController();
    const read = remote.read("packs/ab", 0, 1 * MiB, controller);
    await sleep(100);
    controller.abort();
    await assert.rejects(read, failure("cancelled"), where);
  }
});
