/** Hashing many files of which some cannot be read. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { sha256 } from "../../../src/content/hash.js";
import type { ToHash } from "../../../src/dataset/verify/compare-folder.js";
import { hashSurely } from "../../../src/dataset/verify/hash-surely.js";
import type { TreePath } from "../../../src/paths.js";
import { tempDir } from "../../support/temp.js";
import { writeFolder } from "../support/folders.js";

const COUNT = 1_500;

test("files that are gone by the time they are read are named, and all others are hashed once", async (t) => {
  const folder = await tempDir(t);
  const names = Array.from({ length: COUNT }, (_, at) => `file${at}`);
  writeFolder(folder, Object.fromEntries(names.map((name) => [name, name])));
  const gone = ["file0", "file700", `file${COUNT - 1}`];
  for (const name of gone) rmSync(join(folder, name));
  const files = async function* (): AsyncGenerator<ToHash> {
    for (const name of names) {
      const expected = sha256(Buffer.from(name === "file9" ? "other" : name));
      const [path, sizeBytes] = [name as TreePath, name.length];
      yield await Promise.resolve({ path, from: join(folder, name), sizeBytes, sha256: expected });
    }
  };
  const states = new Map<string, string>();
  for await (const { file, state } of hashSurely(files(), undefined)) {
    assert.ok(!states.has(file.path), `${file.path} comes once`);
    states.set(file.path, state);
  }
  const odd = [...states].filter(([, state]) => state !== "same").sort();
  assert.deepEqual(odd, [...gone.map((name) => [name, "unreadable"]), ["file9", "changed"]].sort());
  assert.equal(states.size, COUNT);
});
