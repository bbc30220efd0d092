/** Mounts that ask no remote. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { describeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import { LARGE_BYTES, REMOTE, VERSION, bucketUser } from "./support/bucket-user.js";
import { DATASET, MOUNTED, liveMount, until, userWith } from "./support/mounted.js";

test(
  "what was fetched ahead is mounted with the remote gone and a catalog that knows nothing",
  MOUNTED,
  async (t) => {
    const { server, varve, source } = await bucketUser(t);
    const early = await varve(["mount", VERSION, await tempDir(t), "--offline"]);
    assert.match(early.stderr, /it is not in the cache; varve prefetch lab\/data@1\.0\.0 fetches it/);
    await varve.ok(["prefetch", VERSION, "small"]);
    await server.setFaults([{ fault: { kind: "reset", when: "before" } }]);
    await server.reset();

    const env = { VARVE_CATALOG: join(await tempDir(t), "empty.db") };
    for (const reference of [VERSION, DATASET, `${REMOTE}#${VERSION}`]) {
      const at = await tempDir(t);
      // A reader that waited for a remote would wait for the deadline, beyond the end of the test.
      await varve.ok(["mount", reference, at, "--offline", "--deadline", "600"], { env });
      assert.deepEqual(describeFolder(join(at, "small")), describeFolder(join(source, "small")));
      assert.equal(statSync(join(at, "large/one")).size, LARGE_BYTES);
      await assert.rejects(readFile(join(at, "large/one")), { code: "EIO" });
      await until("what is here is pinned", async () => {
        const { pins } = (await varve.ok(["cache", "status", "--json"])).json() as {
          pins: { heldBy: number }[];
        };
        return pins.some(({ heldBy }) => heldBy === liveMount(varve, at).pid);
      });
      await varve.ok(["unmount", at]);
    }
    assert.deepEqual(await server.counts(), {});
    const logs = readdirSync(join(varve.home, "logs")).map((name) =>
      readFileSync(join(varve.home, "logs", name), "utf8"),
    );
    assert.match(logs.join(""), /offline, only what is in the cache can be read.*block could not be fetched/);
  },
);

test("--offline is refused where it makes no sense", MOUNTED, async (t) => {
  const varve = await userWith(t, { file: "" });
  for (const [option, says] of [
    ["--writable", /a commit needs the remote/],
    ["--prefetch", /the one fetches nothing, the other everything/],
  ] as const) {
    const { code, stderr } = await varve(["mount", DATASET, await tempDir(t), "--offline", option]);
    assert.match(stderr, says);
    assert.equal(code, 2);
  }
});
