import assert from "node:assert/strict";
import { test } from "node:test";

import { recording } from "../../src/remote/recording.js";
import { memoryRemote } from "../support/memory-remote.js";
import { bytes, failure, keysOf, remoteSuite } from "./suite.js";

remoteSuite("recording", async () => recording(memoryRemote()));

test("recording() writes down each request as it begins", async () => {
  const remote = recording(memoryRemote({ "packs/ab": "hello" }));
  await remote.read("packs/ab", 0, 5);
  await remote.readWhole("packs/ab");
  await remote.stat("packs/ab");
  await remote.put("packs/cd", bytes("hello"));
  await assert.rejects(remote.create("packs/ab", bytes("x")), failure("object-exists"));
  await keysOf(remote, "packs/", "packs/ab");
  for await (const info of remote.list("packs/")) assert.ok(info);
  await remote.delete("packs/ab");
  assert.deepEqual(remote.calls, [
    "read packs/ab [0, 5)",
    "readWhole packs/ab",
    "stat packs/ab",
    "put packs/cd",
    "create packs/ab",
    "list packs/ after packs/ab",
    "list packs/",
    "delete packs/ab",
  ]);
});

test("recording() counts the bytes that were taken and given, not those of failed requests", async () => {
  const remote = recording(memoryRemote({ a: "hello" }));
  await remote.put("b", bytes("1234567"));
  await remote.create("c", bytes("89"));
  await assert.rejects(remote.create("c", bytes("again")), failure("object-exists"));
  async function* chunks() {
    yield bytes("stream");
  }
  await remote.put("d", { sizeBytes: 6, chunks });
  await remote.read("a", 1, 4);
  await remote.readWhole("a");
  await assert.rejects(remote.read("a", 0, 9), failure("remote-short"));
  assert.deepEqual([remote.sentBytes, remote.receivedBytes], [15, 8]);
});
