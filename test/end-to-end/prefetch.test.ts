/** Content brought into the cache before it is needed, and kept there: counted at the server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import type { Warmed } from "../../src/dataset/cached-content.js";
import { KiB, MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import type { Varve } from "../support/varve.js";
import {
  LARGE_BYTES,
  VERSION,
  bucketUser,
  cachedBytes,
  mountedAt,
  readBytes,
} from "./support/bucket-user.js";
import { MOUNTED, liveMount, sh, until } from "./support/mounted.js";

async function warmed(varve: Varve, args: readonly string[]): Promise<Warmed> {
  return (await varve.ok([...args, "--json"])).json() as Warmed;
}

interface Status {
  maxBytes: number;
  bytes: number;
  pinnedBytes: number;
  pins: { reference: string; paths: string[]; complete: boolean; heldBy: number | null }[];
  users: { mountpoint?: string; pid: number; reference: string; hits?: { hits: number; misses: number } }[];
}

async function statusOf(varve: Varve): Promise<Status> {
  return (await varve.ok(["cache", "status", "--json"])).json() as Status;
}

test("prefetch of a version in a bucket", MOUNTED, async (t) => {
  const { server, varve, source } = await bucketUser(t);

  await t.test("what does not fit into the cache is refused before its content is fetched", async () => {
    for (const command of [["prefetch"], ["cache", "pin"]]) {
      const { code, stdout, stderr } = await varve([...command, VERSION, "--cache-size", "12MiB", "--json"]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /it takes (19|20|21) MiB, and the cache has room for 11 MiB; varve cache status shows the pins/,
      );
      assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, "cache-full");
    }
    assert.ok((await readBytes(server)) < 200_000, "only the listing was read");
    assert.deepEqual((await statusOf(varve)).pins, []);
  });

  await t.test(
    "a prefetch that is killed has what had come: the next one fetches only the rest",
    async () => {
      await server.setFaults([
        { fault: { kind: "bandwidth", bytesPerSecond: 8_000_000 }, operations: ["GetObject"] },
      ]);
      const killed = varve.start(["prefetch", VERSION]);
      await until("a part of it is on disk", () => cachedBytes(varve) > 6 * MiB);
      await killed.kill();
      await server.setFaults([]);
      await server.reset();
      const hadBytes = cachedBytes(varve);
      const { bytes, fetchedBytes } = await warmed(varve, ["prefetch", VERSION]);
      assert.ok(
        fetchedBytes + hadBytes <= bytes + 64 * KiB,
        `${fetchedBytes} fetched, ${hadBytes} of ${bytes} were here`,
      );
      const overheadBytes = (await readBytes(server)) - fetchedBytes;
      assert.ok(overheadBytes >= 0 && overheadBytes < KiB, `${overheadBytes} bytes beside what was fetched`);
    },
  );

  await t.test(
    "what was fetched ahead is not fetched again, by a second prefetch or by a mount",
    async () => {
      await varve.ok(["cache", "clear"]);
      const part = await warmed(varve, ["prefetch", VERSION, "small"]);
      assert.ok(part.bytes > 2_000_000 && part.bytes < 2_200_000, `${part.bytes} bytes of a folder`);
      const rest = await warmed(varve, ["prefetch", VERSION]);
      assert.ok(
        rest.fetchedBytes >= LARGE_BYTES && rest.fetchedBytes < LARGE_BYTES + 200_000,
        `${rest.fetchedBytes}`,
      );
      await server.reset();
      const again = await warmed(varve, ["prefetch", VERSION]);
      assert.deepEqual([again.requests, again.fetchedBytes, again.bytes], [0, 0, rest.bytes]);
      const at = await mountedAt(t, varve, VERSION);
      assert.deepEqual(describeFolder(join(at, "small")), describeFolder(join(source, "small")));
      await sh('cmp "$1" "$2"', join(at, "large/one"), join(source, "large/one"));
      assert.deepEqual(await server.counts(), {});
    },
  );
});

test(
  "what is pinned, by hand or by a mount, survives others that read more than the cache holds",
  MOUNTED,
  async (t) => {
    const { server, varve, source } = await bucketUser(t);
    const small = { VARVE_CACHE_SIZE: "24MiB" };
    const other = await tempDir(t);
    writeFolder(other, { other: noise("other", 32 * MiB) });
    await varve.ok(["sync", other, "lab/other"]);
    await varve.ok(["cache", "pin", VERSION, "small"], { env: small });
    const [prefetched, reading] = [await tempDir(t), await tempDir(t)];
    await varve.ok(["mount", VERSION, prefetched, "--prefetch"], { env: small });
    await varve.ok(["mount", "lab/other", reading], { env: small });
    await sh('cmp "$1" "$2"', join(reading, "other"), join(other, "other"));

    await server.reset();
    await sh('cmp "$1" "$2"', join(prefetched, "large/one"), join(source, "large/one"));
    assert.equal(await readBytes(server), 0);
    const isToldOf = async () => (await statusOf(varve)).users.every(({ hits }) => hits !== undefined);
    await until("both mounts tell of their hits", isToldOf);
    const status = await statusOf(varve);
    const { pid, ended } = liveMount(varve, prefetched);
    assert.ok(status.bytes <= 24 * MiB, `${status.bytes} bytes`);
    assert.deepEqual(
      status.pins.map(({ reference, paths, complete, heldBy }) => [reference, paths, complete, heldBy]),
      [
        [VERSION, ["small"], true, null],
        [VERSION, [""], true, pid],
      ],
    );
    assert.deepEqual(
      status.users.map(({ mountpoint, reference }) => [mountpoint, reference]).sort(),
      [
        [prefetched, VERSION],
        [reading, "lab/other@1.0.0"],
      ].sort(),
    );
    process.kill(pid, "SIGKILL");
    await ended();
    assert.deepEqual(
      (await statusOf(varve)).pins.map(({ paths }) => paths),
      [["small"]],
    );
  },
);
