/** A cache folder that two users have in common: root, and nobody (65534) by the folder's group. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { openFolder } from "../../src/cache/folder.js";
import { Housekeeping } from "../../src/cache/housekeeping.js";
import { memoryRemote } from "../support/memory-remote.js";
import { type Scope, atEnd } from "../support/cleanup.js";
import { type ProcessOptions, startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { cacheOf, objectsOf } from "./blocks.js";
import { SHARED_MAX_BYTES, sharedPack } from "./shared-pack.js";

const NOBODY = 65_534;
const READER = new URL("./reading-process.js", import.meta.url).pathname;
const REPORTER = new URL("./report-process.js", import.meta.url).pathname;

/** Nobody has to be able to read what is tested. */
const TWO_USERS = {
  skip:
    process.getuid?.() !== 0 || spawnSync("cat", [READER], { uid: NOBODY, gid: NOBODY }).status !== 0
      ? "needs root, and a build that everybody may read"
      : false,
};

async function sharedFolder(scope: Scope, mode = 0o2770): Promise<string> {
  const directory = await tempDir(scope);
  chownSync(directory, 0, NOBODY);
  chmodSync(directory, mode);
  const before = process.umask(0o077);
  atEnd(scope, () => void process.umask(before));
  return directory;
}

/** The line of JSON that a process ends with. */
async function saidBy(scope: Scope, args: readonly string[], options: ProcessOptions): Promise<unknown> {
  const [program = "", ...rest] = args;
  const { code, stdout, stderr } = await startNode(scope, program, rest, options).ended;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

test(
  "two users read through one cache at once, whatever their umask, and its bound holds",
  TWO_USERS,
  async (t) => {
    const directory = await sharedFolder(t);
    const read = (seed: number, uid: number) => saidBy(t, [READER, directory, String(seed), "150"], { uid });
    const reports = (await Promise.all([read(1, 0), read(2, NOBODY)])) as {
      problems: string[];
      diskHits: number;
    }[];
    for (const { problems, diskHits } of reports) {
      assert.deepEqual(problems, []);
      assert.ok(diskHits > 0);
    }
    const files = readdirSync(join(directory, "blocks")).map((name) =>
      statSync(join(directory, "blocks", name)),
    );
    assert.ok(files.every(({ mode, gid }) => (mode & 0o777) === 0o660 && gid === NOBODY));
    const bytes = files.reduce((sum, { blocks }) => sum + blocks * 512, 0);
    assert.ok(bytes <= SHARED_MAX_BYTES, `${bytes} bytes`);
  },
);

test(
  "what one user has pinned, and who uses the cache, the other sees; it can verify all of it",
  TWO_USERS,
  async (t) => {
    const directory = await sharedFolder(t);
    const cache = await cacheOf(t, memoryRemote(objectsOf(sharedPack)), { directory });
    await cache.readMany(sharedPack.blocks);
    await cache.flush();
    const housekeeping = new Housekeeping(directory);
    atEnd(t, () => housekeeping.close());
    const holder = housekeeping.hold({ use: "mount" });
    const pin = housekeeping.pins.begin("held", {}, holder.id);
    const hashes = sharedPack.blocks.map(({ hash }) => hash);
    assert.deepEqual(housekeeping.pins.cover(pin, hashes, 64 * SHARED_MAX_BYTES), []);
    const seen = (await saidBy(t, [REPORTER, directory], { uid: NOBODY })) as Record<string, unknown>;
    const { holders, pins, isPrivate, blocks, damagedFiles, missingFiles } = seen;
    assert.deepEqual([isPrivate, blocks, damagedFiles, missingFiles], [false, hashes.length, 0, 0]);
    assert.deepEqual(holders, [{ id: holder.id, facts: { use: "mount" } }]);
    assert.equal((pins as unknown[]).length, 1);
    holder.release();
  },
);

test("a folder that its owner opens to a group keeps what is made there in the group", async (t) => {
  const directory = await tempDir(t);
  chmodSync(directory, 0o770);
  openFolder(directory);
  assert.equal(statSync(directory).mode & 0o7777, 0o2770);
});

test(
  "a folder where only owners may remove files is refused: it could not be kept within its bound",
  TWO_USERS,
  async (t) => {
    const directory = await sharedFolder(t, 0o3770);
    const { code, stderr } = await startNode(t, REPORTER, [directory], { uid: NOBODY }).ended;
    assert.match(stderr, /belongs to user 0 \(mode 3770\) and is not shared .* mode 2770/);
    assert.notEqual(code, 0);
  },
);
