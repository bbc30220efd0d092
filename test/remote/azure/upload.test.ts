/** Uploads in blocks to Azure: whole, resumed, in spite of faults, or not at all. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { Body, Remote } from "../../../src/remote/remote.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { MiB } from "../../../src/units.js";
import { type AzureContainer, azureContainer, azureRemoteOn, startAzurite, useAzureAccount } from "../../support/azurite.js"; // prettier-ignore
import type { Fault } from "../../support/faults.js";
import { startNode } from "../../support/processes.js";
import { noiseStream } from "../noise-stream.js";
import { failure, keysOf } from "../suite.js";

const SENDER = new URL("sender.js", import.meta.url).pathname;
const PART_BYTES = 16 * MiB;

const azurite = await startAzurite({ after });
useAzureAccount(azurite);

async function opened(t: TestContext) {
  const server = await azureContainer(t, azurite);
  return { server, remote: withRetry(azureRemoteOn(t, server, { prefix: "data/" }), { baseDelayMs: 5 }) };
}

function noiseBody(sizeBytes: number): Exclude<Body, Uint8Array> {
  return { sizeBytes, chunks: () => noiseStream(sizeBytes) };
}

async function hashOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

async function storedHash(remote: Remote, key: string): Promise<string> {
  return hashOf([await remote.readWhole(key)]);
}

function requestsOf({ counts }: AzureContainer, operation: string): number {
  return counts.byOperation[operation]?.requests ?? 0;
}

/** Blocks that lie in the store and are part of no object yet. */
async function stagedIn({ direct }: AzureContainer, key: string): Promise<number> {
  const found = await direct
    .getBlockBlobClient(`data/${key}`)
    .getBlockList("uncommitted")
    .catch(() => undefined);
  return found?.uncommittedBlocks?.length ?? 0;
}

test("an upload in 4 blocks whose process is killed is resumed by the next: only the rest is sent", async (t) => {
  const { server, remote } = await opened(t);
  const sizeBytes = 4 * PART_BYTES - 8 * MiB;
  const sha256 = await hashOf(noiseStream(sizeBytes));
  const key = `packs/${sha256}`;
  const url = `azure://${server.account}.blob.test/${server.container}/data?endpoint=${server.endpoint}`;
  const send = () => startNode(t, SENDER, [url, String(sizeBytes), sha256]);

  server.faults.set([{ operations: ["PutBlock"], after: 2, fault: { kind: "reset", when: "before" } }]);
  const first = send();
  while ((await stagedIn(server, key)) < 2) await sleep(20);
  await first.kill();

  server.faults.set([]);
  server.counts.reset();
  const second = await send().ended;
  assert.deepEqual([second.code, second.stdout, second.stderr], [0, "sent\n", ""]);
  assert.equal(requestsOf(server, "PutBlock"), 2);
  assert.equal(await storedHash(remote, key), sha256);

  server.counts.reset();
  await remote.put(key, noiseBody(sizeBytes), { sha256 });
  assert.equal(requestsOf(server, "PutBlock"), 0);
});

test("blocks of other bytes under the same key are not taken over", async (t) => {
  const { server, remote } = await opened(t);
  const sizeBytes = PART_BYTES + 1000;
  const other = async function* () {
    yield new Uint8Array(PART_BYTES);
    await sleep(200);
    throw new Error("never comes to its end");
  };
  await assert.rejects(remote.put("packs/a", { sizeBytes, chunks: other }), /never comes/);
  assert.equal(await stagedIn(server, "packs/a"), 1);
  server.counts.reset();
  await remote.put("packs/a", noiseBody(sizeBytes));
  assert.equal(requestsOf(server, "PutBlock"), 2);
  assert.equal(await storedHash(remote, "packs/a"), await hashOf(noiseStream(sizeBytes)));
});

test("blocks that fail are sent again, each by itself, in spite of faults of every kind", async (t) => {
  const { server, remote } = await opened(t);
  const sizeBytes = 2 * PART_BYTES + 1;
  const sha256 = await hashOf(noiseStream(sizeBytes));
  const kinds: Fault[] = [
    { kind: "status", status: 503, code: "ServerBusy" },
    { kind: "status", status: 400, code: "Md5Mismatch" },
    { kind: "reset", when: "after" },
  ];
  server.faults.set(
    ["PutBlock", "PutBlock", "PutBlockList"].map((operation, index) => ({
      operations: [operation],
      nth: index + 1,
      fault: kinds[index]!,
    })),
  );
  await remote.put(`packs/${sha256}`, noiseBody(sizeBytes), { sha256 });
  assert.ok(requestsOf(server, "PutBlock") <= 6, "blocks that had come were not sent again");
  server.faults.set([]);
  assert.equal(await storedHash(remote, `packs/${sha256}`), sha256);
});

test("an upload that cannot succeed makes no object and lets go of its stream", async (t) => {
  const { server, remote } = await opened(t);
  const sizeBytes = PART_BYTES + 5;
  let open = 0;
  async function* chunks() {
    open++;
    try {
      yield* noiseStream(sizeBytes);
    } finally {
      open--;
    }
  }
  await assert.rejects(remote.put("packs/a", { sizeBytes: sizeBytes + 1, chunks }), failure("bad-input"));
  await assert.rejects(
    remote.put("packs/a", { sizeBytes, chunks }, { sha256: "0".repeat(64) }),
    failure("content-damaged"),
  );
  server.faults.set([
    { operations: ["PutBlock"], fault: { kind: "status", status: 403, code: "AuthorizationFailure" } },
  ]);
  await assert.rejects(remote.put("packs/b", { sizeBytes, chunks }), failure("remote-refused"));
  assert.deepEqual([open, await keysOf(remote, "")], [0, []]);
});

test("two who upload the same pack at the same time both succeed", async (t) => {
  const { server, remote } = await opened(t);
  const sizeBytes = PART_BYTES + 1000;
  const sha256 = await hashOf(noiseStream(sizeBytes));
  const other = withRetry(azureRemoteOn(t, server, { prefix: "data/" }), { baseDelayMs: 5 });
  const key = `packs/${sha256}`;
  await Promise.all([remote, other].map((each) => each.put(key, noiseBody(sizeBytes), { sha256 })));
  assert.equal(await storedHash(remote, key), sha256);
});
