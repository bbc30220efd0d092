/** Where remotes lie, for who asks at every request: followed while the catalog answers, kept while it does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { RemoteId } from "../../src/content/chunk.js";
import { RecentRemotes } from "../../src/dataset/recent-remotes.js";
import { DatasetError } from "../../src/errors.js";
import type { Remote } from "../../src/remote/remote.js";
import { failure } from "../remote/suite.js";
import { memoryRemote } from "../support/memory-remote.js";

const ID = "a".repeat(32) as RemoteId;
/** Longer than an answer is taken for recent. */
const A_WHILE_MS = 1_050;

/** Remotes of a catalog whose answer a test sets, and how often it was asked. */
function remotesOf(first: () => Promise<Remote>) {
  const catalog = { answer: first, asked: 0 };
  const remotes = new RecentRemotes(() => (catalog.asked++, catalog.answer()));
  return { catalog, remotes };
}

const gone = () =>
  Promise.reject(new DatasetError("catalog-failed", { catalog: "server" }, "Cannot reach it"));

test("a remote is looked up once for those who ask at once, and again after a second", async () => {
  const [old, moved] = [memoryRemote(), memoryRemote()];
  const { catalog, remotes } = remotesOf(async () => old);
  assert.deepEqual(await Promise.all([remotes.get(ID), remotes.get(ID)]), [old, old]);
  catalog.answer = async () => moved;
  assert.deepEqual([(await remotes.get(ID)) === old, catalog.asked], [true, 1]);
  await sleep(A_WHILE_MS);
  assert.deepEqual([(await remotes.get(ID)) === moved, catalog.asked], [true, 2]);
});

test("while the catalog is out of reach or silent, the remote is the one known last, after a second at most", async () => {
  const known = memoryRemote();
  const { catalog, remotes } = remotesOf(async () => known);
  await remotes.get(ID);
  await sleep(A_WHILE_MS);
  catalog.answer = gone;
  assert.equal(await remotes.get(ID), known);
  catalog.answer = () => sleep(2_000, memoryRemote());
  const startMs = performance.now();
  assert.equal(await remotes.get(ID), known);
  assert.equal(await remotes.get(ID), known);
  assert.ok(performance.now() - startMs < 1_500, "the second did not wait anew");
});

test("a catalog that is out of reach and has never answered is an error, which is not remembered", async () => {
  const known = memoryRemote();
  const { catalog, remotes } = remotesOf(gone);
  await assert.rejects(remotes.get(ID), failure("catalog-failed"));
  catalog.answer = async () => known;
  assert.equal(await remotes.get(ID), known);
});

test("a remote that the catalog knows no more is an error, though it was known", async () => {
  const { catalog, remotes } = remotesOf(async () => memoryRemote());
  await remotes.get(ID);
  await sleep(A_WHILE_MS);
  catalog.answer = () => Promise.reject(new DatasetError("not-found", { what: "remote" }, "Cannot find it"));
  await assert.rejects(remotes.get(ID), failure("not-found"));
});
