import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { CommitResult } from "../../src/dataset/commit.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const VERSIONS = 40;
/** What a range may name before a commit lays them together. */
const MOST_SMALL_PACKS = 32;

test("forty small commits lie in few packs, and every version reads as it was made", async (t) => {
  const user = await testUser(t);
  const workspace = user.open();
  const grown: CommitResult[] = [];
  for (let version = 0; version < VERSIONS; version++) {
    writeFolder(user.scratch, { [`file-${version}`]: contentOf(version) });
    grown.push((await syncVersion(user.scratch, "p/grown", { workspace })).committed!);
  }
  const last = await Dataset.get("p/grown", { workspace });

  await t.test("the last names fewer packs than a range may", async () => {
    assert.ok((await last.getNumChunks()) <= MOST_SMALL_PACKS);
  });

  await t.test("it equals a version made at once of the same folder, and verifies", async () => {
    const { committed } = await syncVersion(user.scratch, "p/at-once", { workspace });
    assert.equal(grown.at(-1)!.contentDigest, committed!.contentDigest);
    assert.deepEqual((await last.verify()).damaged, []);
  });

  await t.test(
    "with an empty cache, what was laid together and what was there before are read right",
    async () => {
      const fresh = emptyCacheOf(user);
      for (const version of [VERSIONS - 1, MOST_SMALL_PACKS, 3]) {
        const dataset = await Dataset.get(`p/grown@${grown[version]!.version}`, { workspace: fresh });
        const { path } = await dataset.getLocalCopy({ mode: "files" });
        for (let file = 0; file <= version; file++)
          assert.equal(
            readFileSync(join(path, `file-${file}`), "utf8"),
            contentOf(file),
            `file ${file} of version ${version}`,
          );
      }
    },
  );

  function emptyCacheOf({ home, scratch }: TestUser): Workspace {
    const fresh = new Workspace({ home: { ...home, cacheDir: `${scratch}-cache` } });
    atEnd(t, () => fresh.close());
    return fresh;
  }
});

test("a commit does not fail for an old pack that is gone: all small packs stay where they are", async (t) => {
  const remote = await tempDir(t);
  const user = await testUser(t, `file://${remote}`);
  for (let version = 0; version <= MOST_SMALL_PACKS; version++) {
    if (version === MOST_SMALL_PACKS) loseFirstPack(remote);
    const workspace = new Workspace({ home: { ...user.home, cacheDir: `${user.scratch}-cache-${version}` } });
    writeFolder(user.scratch, { [`file-${version}`]: contentOf(version) });
    const { committed } = await syncVersion(user.scratch, "p/d", { workspace });
    assert.equal(committed?.files, version + 1);
    if (version === MOST_SMALL_PACKS)
      assert.equal(
        await (await Dataset.get("p/d", { workspace })).getNumChunks(),
        MOST_SMALL_PACKS + 1,
        "nothing was laid together",
      );
    await workspace.close();
  }
});

function loseFirstPack(folder: string): void {
  const packs = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    /^packs\/.*[0-9a-f]{64}$/.test(path),
  );
  assert.equal(packs.length, MOST_SMALL_PACKS);
  rmSync(join(folder, packs[0]!));
}

/** Some that compress and some that do not. */
function contentOf(version: number): string {
  return version % 2 ? `content ${version}\n`.repeat(50) : `${version}`;
}
