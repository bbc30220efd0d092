/** What the cache saves: versions and mounts that follow one another, counted at the server. */
import assert from "node:assert/strict";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { KiB, MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import type { Varve } from "../support/varve.js";
import {
  type BucketUser,
  LARGE_BYTES,
  VERSION,
  bucketUser,
  cachedBytes,
  mountedAt,
  readBytes,
  userOf,
} from "./support/bucket-user.js";
import { DATASET, MOUNTED, liveMount, mountWritable, sh, until } from "./support/mounted.js";

const CHILD = `${DATASET}@1.0.1`;

/** Another user writes 4 KiB into the middle of the large file and adds a small one. */
async function makeChild(t: TestContext, { server }: BucketUser): Promise<void> {
  const editor = await userOf(t, server);
  const { path } = await mountWritable(t, editor);
  const large = await open(join(path, "large/one"), "r+");
  await large.write(noise("changed", 4 * KiB), 0, 4 * KiB, 8 * MiB);
  await large.close();
  await writeFile(join(path, "small/new"), noise("new", 10_000));
  await editor.ok(["unmount", path]);
}

/** Reads all of a version through a mount of its own. */
async function readAll(t: TestContext, varve: Varve, reference: string): Promise<void> {
  const at = await mountedAt(t, varve, reference);
  await sh('cat "$1"/small/* "$1"/large/one > /dev/null', at);
  await varve.ok(["unmount", at]);
}

test("a child version fetches only what changed, a remount nothing", MOUNTED, async (t) => {
  const user = await bucketUser(t);
  const { server, varve } = user;
  await readAll(t, varve, VERSION);
  await makeChild(t, user);
  await varve.ok(["versions", DATASET]); // Looks for new versions.

  await server.reset();
  await readAll(t, varve, CHILD);
  const childBytes = await readBytes(server);
  // One or two chunks of at most 2 MiB, a small file, a range and a root.
  assert.ok(childBytes > 100 * KiB && childBytes < 5 * MiB, `${childBytes} bytes for the child version`);

  await server.reset();
  for (const reference of [VERSION, CHILD]) await readAll(t, varve, reference);
  assert.deepEqual(await server.counts(), {});
});

test("after kill -9 of a mount the next one fetches only what was not on disk", MOUNTED, async (t) => {
  const { server, varve } = await bucketUser(t);
  await server.setFaults([
    { fault: { kind: "bandwidth", bytesPerSecond: 8_000_000 }, operations: ["GetObject"] },
  ]);
  const at = await mountedAt(t, varve, VERSION);
  const reading = sh('cat "$1"/large/one > /dev/null', at).catch(() => undefined);
  await until("a part of it is on disk", () => cachedBytes(varve) > 6 * MiB);
  const { pid, ended } = liveMount(varve, at);
  process.kill(pid, "SIGKILL");
  await ended();
  await reading;
  await server.setFaults([]);
  await server.reset();
  const hadBytes = cachedBytes(varve);
  const again = await mountedAt(t, varve, VERSION);
  await sh('cat "$1"/large/one > /dev/null', again);
  const fetchedBytes = await readBytes(server);
  assert.ok(
    fetchedBytes > 0 && fetchedBytes + hadBytes <= LARGE_BYTES + 256 * KiB,
    `${fetchedBytes} fetched, ${hadBytes} were here`,
  );
});
