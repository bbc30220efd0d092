import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readlink, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { fileRemote } from "../../../src/remote/file/file.js";
import { startNode } from "../../support/processes.js";
import { tempDir } from "../../support/temp.js";
import { bytes, failure, keysOf, remoteSuite } from "../suite.js";

const CREATE_RACER = new URL("../create-racer.js", import.meta.url).pathname;

remoteSuite("file", async (t) => {
  const remote = fileRemote(join(await tempDir(t), "made/by/the/first/write"));
  t.after(() => remote.close());
  return remote;
});

test("a file remote whose folder is not there lists nothing and makes no folder", async (t) => {
  const directory = await tempDir(t);
  const remote = fileRemote(join(directory, "remote"));
  assert.deepEqual(await keysOf(remote, ""), []);
  await assert.rejects(remote.readWhole("varve.json"), failure("object-missing"));
  assert.deepEqual(await readdir(directory), []);
});

test("an object of a file remote is a plain file at its key", async (t) => {
  const directory = await tempDir(t);
  await fileRemote(directory).put("packs/ab/cd", bytes("hello"));
  await writeFile(join(directory, "packs/ab/ef"), "by hand");
  const remote = fileRemote(directory);
  assert.deepEqual(await remote.readWhole("packs/ab/ef"), bytes("by hand"));
  assert.deepEqual(await keysOf(remote, "packs/"), ["packs/ab/cd", "packs/ab/ef"]);
});

test("of two processes that create the same keys, one wins each", async (t) => {
  const directory = await tempDir(t);
  const racers = [1, 2].map(() => startNode(t, CREATE_RACER, [directory, "150"]));
  await Promise.all(racers.map((racer) => racer.saying(/ready/)));
  for (const racer of racers) racer.child.stdin.end("go");
  const exits = await Promise.all(racers.map((racer) => racer.ended));
  assert.deepEqual(exits.map(({ code, stderr }) => ({ code, stderr })), [0, 0].map((code) => ({ code, stderr: "" }))); // prettier-ignore
  const wins = exits.flatMap(({ stdout }) => JSON.parse(stdout.split("\n")[1] ?? "") as string[]);
  assert.deepEqual(wins.toSorted(), await keysOf(fileRemote(directory), "race/"));
});

test("writes leave nothing aside, and what lies aside is never listed or reached", async (t) => {
  const directory = await tempDir(t);
  const remote = fileRemote(directory);
  await remote.put("a", bytes("hello"));
  await remote.create("b", bytes("hello"));
  await assert.rejects(remote.create("b", bytes("again")), failure("object-exists"));
  assert.deepEqual(await readdir(join(directory, ".tmp")), []);
  await writeFile(join(directory, ".tmp/left"), "by a dead writer");
  assert.deepEqual(await keysOf(remote, ""), ["a", "b"]);
  assert.deepEqual(await keysOf(remote, "."), []);
  await assert.rejects(remote.readWhole(".tmp/left"), failure("bad-input"));
});

test("the first write clears away what dead writers left a day ago, and nothing younger", async (t) => {
  const directory = await tempDir(t);
  await mkdir(join(directory, ".tmp"));
  for (const name of ["old", "young"]) await writeFile(join(directory, ".tmp", name), "");
  await utimes(join(directory, ".tmp/old"), new Date(), new Date(Date.now() - 25 * 3_600_000));
  await fileRemote(directory).put("a", bytes(""));
  assert.deepEqual(await readdir(join(directory, ".tmp")), ["young"]);
});

test("what another process replaces or deletes is read as it then is", async (t) => {
  const directory = await tempDir(t);
  const [ours, theirs] = [fileRemote(directory), fileRemote(directory)];
  t.after(() => ours.close());
  await theirs.put("leases/1", bytes("short"));
  assert.deepEqual(await ours.read("leases/1", 0, 5), bytes("short"));
  await theirs.put("leases/1", bytes("much longer"));
  assert.deepEqual(await ours.read("leases/1", 0, 11), bytes("much longer"));
  await theirs.delete("leases/1");
  await assert.rejects(ours.read("leases/1", 0, 5), failure("object-missing"));
});

test("reading many objects keeps few of them open, and close() none", async (t) => {
  const directory = await tempDir(t);
  const remote = fileRemote(directory);
  const keys = Array.from({ length: 100 }, (_, index) => `packs/${index}`);
  for (const key of keys) await writeFileBelow(directory, key);
  await Promise.all(keys.map((key) => remote.read(key, 0, 1)));
  const kept = await openBelow(directory, 64);
  assert.ok(kept.length > 0 && kept.length <= 64, `${kept.length} open`);
  await remote.close();
  await remote.read("packs/1", 0, 1);
  await remote.readWhole("packs/2");
  assert.deepEqual(await openBelow(directory, 0), []);
});

test("a read-only file remote refuses every write", async (t) => {
  const directory = await tempDir(t);
  await fileRemote(directory).put("a", bytes("hello"));
  const remote = fileRemote(directory, { readOnly: true });
  await assert.rejects(remote.put("a", bytes("other")), { code: "remote-refused", data: { key: "a" } });
  await assert.rejects(remote.create("b", bytes("new")), failure("remote-refused"));
  await assert.rejects(remote.delete("a"), failure("remote-refused"));
  assert.deepEqual(await remote.readWhole("a"), bytes("hello"));
});

test("a folder that takes no files is remote-refused, and an object in the way of a folder too", async (t) => {
  await assert.rejects(fileRemote("/sys/varve").put("a", bytes("x")), failure("remote-refused"));
  const remote = fileRemote(await tempDir(t));
  await remote.put("a", bytes("x"));
  await assert.rejects(remote.put("a/b", bytes("x")), failure("remote-refused"));
});

test("a full disk is disk-full, and what was there before can still be read", async (t) => {
  const directory = await tempDir(t);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory]);
  if (mounted.status !== 0) {
    t.skip("only root can mount a small disk");
    return;
  }
  const remote = fileRemote(directory);
  await remote.put("a", bytes("before"));
  const large = new Uint8Array(1024 * 1024);
  await assert.rejects(remote.put("a", large), { code: "disk-full", data: { path: join(directory, "a") } });
  await assert.rejects(remote.create("b", large), failure("disk-full"));
  assert.deepEqual(await readdir(join(directory, ".tmp")), []);
  assert.deepEqual(await remote.readWhole("a"), bytes("before"));
});

test("names that are no keys are not listed, and links are followed", async (t) => {
  const [directory, elsewhere] = [await tempDir(t), await tempDir(t)];
  await writeFile(join(directory, "ä"), "");
  await writeFile(join(elsewhere, "ab"), "hello");
  await symlink(elsewhere, join(directory, "packs"));
  await symlink(join(directory, "nowhere"), join(directory, "dangling"));
  const remote = fileRemote(directory);
  assert.deepEqual(await keysOf(remote, ""), ["packs/ab"]);
  assert.deepEqual(await remote.readWhole("packs/ab"), bytes("hello"));
});

async function writeFileBelow(directory: string, key: string): Promise<void> {
  await mkdir(join(directory, "packs"), { recursive: true });
  await writeFile(join(directory, key), "x");
}

/** Nobody waits for a file to be closed, so that may take a moment. */
async function openBelow(directory: string, most: number): Promise<string[]> {
  const patientUntilMs = Date.now() + 10_000;
  for (;;) {
    const descriptors = await readdir("/proc/self/fd");
    const found = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
    const open = found.filter((path) => path.startsWith(directory));
    if (open.length <= most || Date.now() > patientUntilMs) return open;
    await sleep(10);
  }
}
