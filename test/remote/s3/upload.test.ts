/** Uploads in parts: whole, resumed, in spite of faults, or not at all. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { Body } from "../../../src/remote/remote.js";
import { withRetry } from "../../../src/remote/with-retry.js";
import { MiB } from "../../../src/units.js";
import { startNode } from "../../support/processes.js";
import type { FaultRule } from "../../support/faults.js";
import type { S3Server } from "../../support/s3-server/server.js";
import { s3Environment, s3RemoteOn, s3Server, useAccount } from "../../support/s3.js";
import { noiseStream } from "../noise-stream.js";
import { failure, keysOf } from "../suite.js";

const SENDER = new URL("sender.js", import.meta.url).pathname;
const PART_BYTES = 16 * MiB;

async function opened(t: TestContext) {
  const server = await s3Server(t);
  useAccount(server);
  return { server, on: (checksums: boolean) => s3RemoteOn(t, server, { prefix: "data/", checksums }) };
}

function noiseBody(sizeBytes: number): Body {
  return { sizeBytes, chunks: () => noiseStream(sizeBytes) };
}

async function hashOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

function requestsOf({ counts }: S3Server, operation: string): number {
  return counts.byOperation[operation]?.requests ?? 0;
}

function unfinishedIn({ store }: S3Server): number {
  return store.bucket("bucket").uploads.size;
}

for (const [checksums, parts] of [
  ["when-supported", 13],
  ["when-required", 5],
] as const)
  test(`an upload in ${parts} parts whose process is killed is resumed by the next: only the rest is sent (${checksums})`, async (t) => {
    const { server, on } = await opened(t);
    const sizeBytes = parts * PART_BYTES - 8 * MiB;
    const sha256 = await hashOf(noiseStream(sizeBytes));
    const env = { ...process.env, ...s3Environment(server) };
    const send = () => startNode(t, SENDER, [String(sizeBytes), sha256, checksums], { env });

    const lost: FaultRule = {
      operations: ["UploadPart"],
      after: 3,
      fault: { kind: "reset", when: "before" },
    };
    server.faults.set([lost]);
    const first = send();
    while (partsIn(server) < 3) await sleep(5);
    await first.kill();

    server.faults.set([]);
    server.counts.reset();
    const second = await send().ended;
    assert.deepEqual([second.code, second.stdout, second.stderr], [0, "sent\n", ""]);
    assert.equal(requestsOf(server, "UploadPart"), parts - 3);
    assert.equal(requestsOf(server, "CreateMultipartUpload"), 0);
    assert.equal(unfinishedIn(server), 0);
    const stored = on(false);
    assert.equal((await stored.stat(`packs/${sha256}`))?.sizeBytes, sizeBytes);
    assert.equal(await hashOf(piecesOf(stored, `packs/${sha256}`, sizeBytes)), sha256);
  });

test("parts of other bytes under the same key are not taken over", async (t) => {
  for (const checksums of [true, false]) {
    const { server, on } = await opened(t);
    const sizeBytes = PART_BYTES + 1000;
    const other = async function* () {
      yield new Uint8Array(PART_BYTES);
      await sleep(200);
      throw new Error("never comes to its end");
    };
    server.faults.set([{ operations: ["AbortMultipartUpload"], fault: { kind: "reset", when: "before" } }]);
    await assert.rejects(on(checksums).put("packs/a", { sizeBytes, chunks: other }), /never comes/);
    assert.deepEqual([unfinishedIn(server), partsIn(server)], [1, 1]);
    server.counts.reset();
    await on(checksums).put("packs/a", noiseBody(sizeBytes));
    assert.equal(requestsOf(server, "UploadPart"), 2);
    const stored = await on(checksums).readWhole("packs/a");
    assert.equal(createHash("sha256").update(stored).digest("hex"), await hashOf(noiseStream(sizeBytes)));
  }
});

test("an unfinished upload with checksums is not gone on with without them, nor the other way round", async (t) => {
  const { server, on } = await opened(t);
  const sizeBytes = PART_BYTES + 1000;
  for (const checksums of [true, false]) {
    const key = `packs/${String(checksums)}`;
    server.faults.set([{ operations: ["UploadPart"], fault: { kind: "latency", ms: 300 } }]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    await assert.rejects(on(checksums).put(key, noiseBody(sizeBytes), controller), failure("cancelled"));
    server.faults.set([]);
    await on(!checksums).put(key, noiseBody(sizeBytes));
    assert.equal((await on(true).stat(key))?.sizeBytes, sizeBytes);
  }
  assert.equal(unfinishedIn(server), 2);
});

test("an upload that fails lets go of its stream", async (t) => {
  const { server, on } = await opened(t);
  server.faults.set([
    { operations: ["UploadPart"], fault: { kind: "status", status: 403, code: "AccessDenied" } },
  ]);
  let open = 0;
  async function* chunks() {
    open++;
    try {
      yield* noiseStream(10 * PART_BYTES);
    } finally {
      open--;
    }
  }
  await assert.rejects(
    on(true).put("packs/a", { sizeBytes: 10 * PART_BYTES, chunks }),
    failure("remote-refused"),
  );
  assert.equal(open, 0);
});

test("parts that fail are sent again, each by itself, in spite of faults of every kind", async (t) => {
  const { server, on } = await opened(t);
  server.faults.set([
    { probability: 0.1, seed: 11, fault: { kind: "status", status: 503, code: "SlowDown" } },
    { probability: 0.1, seed: 12, fault: { kind: "reset", when: "before" } },
    { probability: 0.1, seed: 13, fault: { kind: "reset", when: "after" } },
  ]);
  const sizeBytes = 3 * PART_BYTES + 1;
  const remote = withRetry(on(true), { attempts: 10, baseDelayMs: 5 });
  const sha256 = await hashOf(noiseStream(sizeBytes));
  for (const key of [`packs/${sha256}`, `again/${sha256}`])
    await remote.put(key, noiseBody(sizeBytes), { sha256 });
  server.faults.set([]);
  for (const key of [`packs/${sha256}`, `again/${sha256}`])
    assert.equal(await hashOf(piecesOf(remote, key, sizeBytes)), sha256);
});

test("an upload that cannot succeed is given up, and nothing of it stays", async (t) => {
  const { server, on } = await opened(t);
  const sizeBytes = 2 * PART_BYTES + 5;
  const remote = withRetry(on(true), { attempts: 2, baseDelayMs: 1 });
  const put = (body: Body, sha256?: string) => remote.put("packs/a", body, { sha256 });
  const { chunks } = noiseBody(sizeBytes) as Exclude<Body, Uint8Array>;
  await assert.rejects(put({ sizeBytes: sizeBytes + 1, chunks }), failure("bad-input"));
  await assert.rejects(put({ sizeBytes: sizeBytes - 1, chunks }), failure("bad-input"));
  await assert.rejects(put({ sizeBytes, chunks }, "0".repeat(64)), failure("content-damaged"));
  server.faults.set([
    { operations: ["UploadPart"], nth: 2, fault: { kind: "status", status: 403, code: "AccessDenied" } },
  ]);
  await assert.rejects(put({ sizeBytes, chunks }), failure("remote-refused"));
  assert.deepEqual([unfinishedIn(server), await keysOf(remote, "")], [0, []]);
});

test("an upload that is cancelled keeps its parts for the next", async (t) => {
  const { server, on } = await opened(t);
  const controller = new AbortController();
  let takenBytes = 0;
  async function* chunks() {
    for await (const chunk of noiseStream(3 * PART_BYTES)) {
      takenBytes += chunk.length;
      while (takenBytes > PART_BYTES && partsIn(server) === 0) await sleep(5);
      if (partsIn(server) > 0) controller.abort();
      yield chunk;
    }
  }
  const put = on(true).put("packs/a", { sizeBytes: 3 * PART_BYTES, chunks }, controller);
  await assert.rejects(put, failure("cancelled"));
  assert.equal(unfinishedIn(server), 1);
});

test("two who upload the same pack at the same time both succeed", async (t) => {
  const { on } = await opened(t);
  const sizeBytes = 3 * PART_BYTES;
  const sha256 = await hashOf(noiseStream(sizeBytes));
  const key = `packs/${sha256}`;
  const remotes = [on(true), on(true)].map((remote) => withRetry(remote, { baseDelayMs: 5 }));
  await Promise.all(remotes.map((remote) => remote.put(key, noiseBody(sizeBytes), { sha256 })));
  assert.equal(await hashOf(piecesOf(remotes[0]!, key, sizeBytes)), sha256);
});

function partsIn({ store }: S3Server): number {
  return [...store.bucket("bucket").uploads.values()].reduce((sum, { parts }) => sum + parts.size, 0);
}

async function* piecesOf(
  remote: { read: (key: string, start: number, end: number) => Promise<Uint8Array> },
  key: string,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; at += PART_BYTES)
    yield await remote.read(key, at, Math.min(sizeBytes, at + PART_BYTES));
}
