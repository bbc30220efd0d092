import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { isDatasetError } from "../../src/errors.js";
import { EntryType } from "../../src/manifest/entry.js";
import { startNode } from "../support/processes.js";
import { STATE_BYTES } from "./support/states.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const REWRITER = fileURLToPath(new URL("./support/rewriter.js", import.meta.url));
const FILES = 3;
const ROUNDS = 6;

/** Syncs while files change; the version, or undefined where they changed too fast to be read. */
async function syncChanging({ open, scratch }: TestUser): Promise<Dataset | undefined> {
  const workspace = open();
  try {
    await syncVersion(scratch, "p/d", { workspace });
  } catch (error) {
    assert.ok(isDatasetError(error, "source-changed"), String(error));
    return undefined;
  } finally {
    await workspace.close();
  }
  return Dataset.get("p/d", { workspace: open() });
}

test(
  "a file that changes while it is read is never stored under a wrong hash",
  { timeout: 300_000 },
  async (t) => {
    const user = await testUser(t);
    mkdirSync(user.scratch);
    let stored = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const rewriter = startNode(t, REWRITER, [user.scratch, String(FILES), String((round % 2) * 4)]);
      await rewriter.saying(/started/);
      const version = await syncChanging(user);
      await rewriter.kill();
      if (version) await assertWhole(version);
      if (version) stored++;
    }
    t.diagnostic(`${stored} of ${ROUNDS} rounds found every file at rest for long enough`);
    const version = await syncChanging(user);
    assert.ok(version, "files that stand still were refused");
    await assertWhole(version);
  },
);

/** Every file has the hash it is stored under, and is of two states at most: what one pass of a writer leaves. */
async function assertWhole(version: Dataset): Promise<void> {
  for await (const entry of version.listFiles()) {
    assert.ok(entry.type === EntryType.file);
    const parts: Uint8Array[] = [];
    for await (const bytes of version.readFile(entry)) parts.push(bytes);
    const content = Buffer.concat(parts);
    assert.equal(createHash("sha256").update(content).digest("hex"), entry.sha256);
    assert.equal(content.length, entry.sizeBytes);
    const states = statesIn(content);
    assert.ok(states.length <= 2, `states ${states.join(", ")} never stood in "${entry.path}" together`);
    assert.deepEqual(
      states,
      [...states].sort((a, b) => b - a),
    );
  }
}

/** The states that runs of the bytes are of, from the first byte on. */
function statesIn(content: Buffer): number[] {
  const states: number[] = [];
  for (let at = 0; at < Math.min(content.length, STATE_BYTES); at += 8) {
    const state = content.readUInt32LE(at);
    if (states.at(-1) !== state) states.push(state);
  }
  return states;
}
