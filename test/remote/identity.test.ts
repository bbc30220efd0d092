import assert from "node:assert/strict";
import { test } from "node:test";

import type { RemoteId } from "../../src/content/chunk.js";
import { fileRemote } from "../../src/remote/file/file.js";
import { remoteIdentity, requireIdentity } from "../../src/remote/identity.js";
import { recording } from "../../src/remote/recording.js";
import { memoryRemote } from "../support/memory-remote.js";
import { tempDir } from "../support/temp.js";
import { failure } from "./suite.js";

const ID = "0123456789abcdef0123456789abcdef";

test("remoteIdentity() of a remote that has one costs one request", async () => {
  const remote = recording(memoryRemote({ "varve.json": JSON.stringify({ format: 1, id: ID }) }));
  assert.equal(await remoteIdentity(remote), ID);
  assert.deepEqual(remote.calls, ["readWhole varve.json"]);
});

test("remoteIdentity() gives a new remote an identity that stays", async () => {
  const remote = memoryRemote();
  const id = await remoteIdentity(remote);
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(await remoteIdentity(remote), id);
  assert.deepEqual(JSON.parse(Buffer.from(remote.objects.get("varve.json")!).toString()), { format: 1, id });
});

test("all who ask a new remote at once are told the same identity", async () => {
  const remote = memoryRemote();
  const ids = await Promise.all(Array.from({ length: 20 }, () => remoteIdentity(remote)));
  assert.equal(new Set(ids).size, 1);
});

test("requireIdentity() begins nothing where a known remote is gone or another has taken its place", async () => {
  const empty = memoryRemote();
  await assert.rejects(requireIdentity(empty), failure("remote-failed"));
  assert.equal(empty.objects.size, 0);
  const other = memoryRemote({ "varve.json": JSON.stringify({ format: 1, id: ID }) });
  assert.equal(await requireIdentity(other, ID as RemoteId), ID);
  await assert.rejects(requireIdentity(other, "f".repeat(32) as RemoteId), failure("remote-failed"));
});

test("a read-only remote without an identity is refused, one with it is known", async (t) => {
  const directory = await tempDir(t);
  const readOnly = fileRemote(directory, { readOnly: true });
  await assert.rejects(remoteIdentity(readOnly), failure("remote-refused"));
  const id = await remoteIdentity(fileRemote(directory));
  assert.equal(await remoteIdentity(readOnly), id);
});

test("an identity of a newer format is refused, whatever else it holds", async () => {
  const remote = memoryRemote({ "varve.json": JSON.stringify({ format: 2, uuid: "else" }) });
  await assert.rejects(remoteIdentity(remote), {
    code: "format-newer",
    data: { what: "memory:///varve.json", version: 2 },
  });
});

test("an identity that cannot be one is format-damaged and is never overwritten", async () => {
  const damaged = [
    "",
    "{",
    "null",
    "[]",
    '{"format":1}',
    '{"format":0,"id":"x"}',
    `{"format":1,"id":"${ID}0"}`,
    `{"id":"${ID}"}`,
  ];
  for (const content of damaged) {
    const remote = memoryRemote({ "varve.json": content });
    await assert.rejects(remoteIdentity(remote), failure("format-damaged"), content);
    assert.equal(Buffer.from(remote.objects.get("varve.json")!).toString(), content);
  }
});
