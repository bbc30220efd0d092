/** Resumable uploads: whole, gone on with, in spite of faults, or not at all. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";

import type { Body, Remote } from "../../../src/remote/remote.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { MiB } from "../../../src/units.js";
import type { FaultRule } from "../../support/faults.js";
import type { GcsServer } from "../../support/gcs-server/server.js";
import { gcsRemoteOn, gcsServer, useCredentials } from "../../support/gcs.js";
import { noiseStream } from "../noise-stream.js";
import { failure, keysOf } from "../suite.js";

const PIECE_BYTES = 16 * MiB;
const SIZE_BYTES = PIECE_BYTES + 1000;

async function opened(t: TestContext): Promise<{ server: GcsServer; remote: Remote }> {
  const server = await gcsServer(t);
  await useCredentials(t, server);
  return { server, remote: gcsRemoteOn(t, server, { prefix: "data/" }) };
}

function noiseBody(sizeBytes: number): Body {
  return { sizeBytes, chunks: () => noiseStream(sizeBytes) };
}

/** Hex SHA-256. */
async function hashOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

async function storedHash(remote: Remote, key: string): Promise<string> {
  const hash = createHash("sha256");
  return hash.update(await remote.readWhole(key)).digest("hex");
}

/** Bytes of pieces that came to the server. */
function receivedBytes({ counts }: GcsServer): number {
  return counts.byOperation["upload.piece"]?.receivedBytes ?? 0;
}

function unfinishedIn({ sessions }: GcsServer): number {
  return [...sessions.values()].filter(({ object }) => object === undefined).length;
}

test("gcs: a large stream goes up in pieces, each once, and carries its SHA-256", async (t) => {
  const { server, remote } = await opened(t);
  const sha256 = await hashOf(noiseStream(SIZE_BYTES));
  await remote.put("packs/a", noiseBody(SIZE_BYTES), { sha256 });
  assert.equal(await storedHash(remote, "packs/a"), sha256);
  assert.equal(receivedBytes(server), SIZE_BYTES);
  assert.equal(server.counts.byOperation["upload.piece"]!.requests, 2);
  const { said } = server.store.bucket("bucket").get("data/packs/a")!;
  assert.deepEqual([said.metadata, said.cacheControl], [{ "varve-sha256": sha256 }, "no-store"]);
});

test("gcs: pieces that fail are sent again from where the store has them, in spite of faults of every kind", async (t) => {
  const { server, remote } = await opened(t);
  const operations = ["upload.begin", "upload.piece", "objects.download"];
  server.faults.set([
    { operations, probability: 0.15, seed: 11, fault: { kind: "status", status: 503, code: "backendError" } },
    { operations, probability: 0.1, seed: 12, fault: { kind: "reset", when: "before" } },
    { operations, probability: 0.15, seed: 13, fault: { kind: "reset", when: "after" } },
  ]);
  const sha256 = await hashOf(noiseStream(SIZE_BYTES));
  const patient = withRetry(remote, { attempts: 10, baseDelayMs: 5 });
  for (const key of ["packs/a", "packs/b", "packs/c"])
    await patient.put(key, noiseBody(SIZE_BYTES), { sha256 });
  const { injected } = server.faults;
  assert.ok(injected["status"]! + injected["reset"]! >= 3, JSON.stringify(injected));
  server.faults.set([]);
  for (const key of ["packs/a", "packs/b", "packs/c"]) assert.equal(await storedHash(remote, key), sha256);
  assert.ok(receivedBytes(server) < 6 * SIZE_BYTES, String(receivedBytes(server)));
});

test("gcs: an upload that is cancelled is gone on with by the next put of the same content", async (t) => {
  const { server, remote } = await opened(t);
  const sha256 = await hashOf(noiseStream(SIZE_BYTES));
  const controller = new AbortController();
  async function* chunks() {
    let takenBytes = 0;
    for await (const chunk of noiseStream(SIZE_BYTES)) {
      takenBytes += chunk.length;
      if (takenBytes > PIECE_BYTES) controller.abort();
      yield chunk;
    }
  }
  const put = remote.put("packs/a", { sizeBytes: SIZE_BYTES, chunks }, { sha256, signal: controller.signal });
  await assert.rejects(put, failure("cancelled"));
  assert.equal(unfinishedIn(server), 1);
  assert.equal(receivedBytes(server), PIECE_BYTES);

  await remote.put("packs/a", noiseBody(SIZE_BYTES), { sha256 });
  assert.equal(receivedBytes(server), SIZE_BYTES);
  assert.equal(await storedHash(remote, "packs/a"), sha256);
  assert.equal(unfinishedIn(server), 0);
});

test("gcs: an upload whose session the store has lost begins anew", async (t) => {
  const { server, remote } = await opened(t);
  const gone: FaultRule["fault"] = { kind: "status", status: 410, code: "gone" };
  server.faults.set([{ operations: ["upload.piece"], nth: 2, fault: gone }]);
  const sha256 = await hashOf(noiseStream(SIZE_BYTES));
  await withRetry(remote, { baseDelayMs: 5 }).put("packs/a", noiseBody(SIZE_BYTES), { sha256 });
  assert.equal(await storedHash(remote, "packs/a"), sha256);
});

test("gcs: an upload that cannot succeed is given up, and nothing of it stays", async (t) => {
  const { server, remote } = await opened(t);
  const sizeBytes = PIECE_BYTES + 5;
  const put = (body: Body, sha256?: string) => withRetry(remote).put("packs/a", body, { sha256 });
  const { chunks } = noiseBody(sizeBytes) as Exclude<Body, Uint8Array>;
  await assert.rejects(put({ sizeBytes: sizeBytes + 1, chunks }), failure("bad-input"));
  await assert.rejects(put({ sizeBytes: sizeBytes - 1, chunks }), failure("bad-input"));
  await assert.rejects(put({ sizeBytes, chunks }, "0".repeat(64)), failure("content-damaged"));
  const denied: FaultRule["fault"] = { kind: "status", status: 403, code: "forbidden" };
  server.faults.set([{ operations: ["upload.piece"], nth: 2, fault: denied }]);
  await assert.rejects(put({ sizeBytes, chunks }), failure("remote-refused"));
  assert.deepEqual([unfinishedIn(server), await keysOf(remote, "")], [0, []]);
});

test("gcs: an upload that fails lets go of its stream", async (t) => {
  const { server, remote } = await opened(t);
  const denied: FaultRule["fault"] = { kind: "status", status: 403, code: "forbidden" };
  server.faults.set([{ operations: ["upload.piece"], fault: denied }]);
  let open = 0;
  async function* chunks() {
    open++;
    try {
      yield* noiseStream(SIZE_BYTES);
    } finally {
      open--;
    }
  }
  await assert.rejects(remote.put("packs/a", { sizeBytes: SIZE_BYTES, chunks }), failure("remote-refused"));
  assert.equal(open, 0);
});

test("gcs: two who upload the same pack at the same time both succeed", async (t) => {
  const { remote } = await opened(t);
  const sha256 = await hashOf(noiseStream(SIZE_BYTES));
  const put = () => remote.put(`packs/${sha256}`, noiseBody(SIZE_BYTES), { sha256 });
  await Promise.all([put(), put()]);
  assert.equal(await storedHash(remote, `packs/${sha256}`), sha256);
});
