/** What the commands for mounts tell programs. What a mount does is tested elsewhere. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeFolder } from "../../dataset/support/folders.js";
import { CAN_MOUNT } from "../../fs/support/mounted.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { keysOf } from "./keys.js";

const OPTIONS = { skip: !CAN_MOUNT, timeout: 300_000 };
const COMMIT_KEYS = [
  ...["added", "bytes", "bytesSent", "contentBytesSent", "contentDigest", "dataset", "digest", "files", "id"],
  ...["metadata", "modified", "open", "parent", "removed", "renamed", "skipped", "version"],
];

interface User {
  varve: Varve;
  at: string;
  id: string;
}

async function userWithVersion(t: TestContext): Promise<User> {
  const varve = await varveUser(t);
  const [folder, at] = [join(varve.home, "../files"), join(varve.home, "../mnt")];
  writeFolder(folder, { a: "1", "d/b": "2" });
  mkdirSync(at);
  const { id } = (await varve.ok(["sync", folder, "p/d", "--json"])).json() as { id: string };
  return { varve, at, id };
}

test("mount, status and unmount of a read-only mount", OPTIONS, async (t) => {
  const { varve, at, id } = await userWithVersion(t);
  const mounted = await varve.ok(["mount", "p/d", at, "--json"]);
  const info = { mountpoint: at, id, dataset: "p/d", version: "1.0.0", writable: false };
  assert.deepEqual(mounted.json(), { ...info, unmerged: [], missing: [] });
  assert.equal(readFileSync(join(at, "d/b"), "utf8"), "2");
  const [row] = (await varve.ok(["status", at, "--json"])).json() as Record<string, unknown>[];
  const { mountpoint, pid, dataset, version, writable, state } = row!;
  assert.deepEqual({ mountpoint, id: row!["id"], dataset, version, writable }, info);
  assert.deepEqual([typeof pid, state], ["number", "mounted"]);
  const busy = await varve(["mount", "p/d", at]);
  assert.deepEqual([busy.code, busy.stdout], [4, ""]);
  assert.deepEqual((await varve.ok(["unmount", at, "--json"])).json(), { committed: null });
  assert.deepEqual((await varve.ok(["status", "--json"])).json(), []);
  assert.equal((await varve(["unmount", at])).code, 3);
});

test("diff, commit and unmount of a writable mount", OPTIONS, async (t) => {
  const { varve, at } = await userWithVersion(t);
  await varve.ok(["mount", "-w", "p/d", at]);
  writeFolder(at, { new: "3", a: "changed" });
  const diff = (await varve.ok(["diff", at, "--json"])).json();
  assert.deepEqual(diff, { added: ["new"], modified: ["a"], metadata: [], removed: [], renamed: [] });
  const { committed } = (await varve.ok(["commit", at, "-m", "halfway", "--json"])).json() as {
    committed: object;
  };
  assert.deepEqual(keysOf(committed), COMMIT_KEYS);
  const { parent, version, added, modified } = committed as Record<string, unknown>;
  assert.deepEqual(
    { parent, version, added, modified },
    { parent: "p/d@1.0.0", version: "1.0.1", added: 1, modified: 1 },
  );

  writeFileSync(join(at, "new"), "4");
  const last = await varve.ok(["unmount", at, "--version", "2.0", "--tag", "clean", "--json"]);
  const final = (last.json() as { committed: Record<string, unknown> }).committed;
  assert.deepEqual([final["version"], final["parent"], final["modified"]], ["2.0", "p/d@1.0.1", 1]);
  assert.deepEqual([final["skipped"], final["open"]], [[], []]);
  assert.equal((await varve.ok(["cat", "p/d@2.0", "new"])).stdout, "4");
  assert.equal((await varve.ok(["cat", "p/d@1.0.1", "new"])).stdout, "3");
});

test("discard unmounts and makes no version", OPTIONS, async (t) => {
  const { varve, at } = await userWithVersion(t);
  await varve.ok(["mount", "-w", "p/d", at]);
  writeFileSync(join(at, "new"), "gone soon");
  assert.deepEqual((await varve.ok(["discard", at, "--json"])).json(), { committed: null });
  assert.equal(((await varve.ok(["versions", "p/d", "--json"])).json() as unknown[]).length, 1);
  assert.deepEqual((await varve.ok(["recover", "--json"])).json(), []);
});

test("the mount command's output ends when the command does", OPTIONS, async (t) => {
  const { varve, at } = await userWithVersion(t);
  // A mount's process that held standard output open would keep this from ending.
  assert.match((await varve.ok(["mount", "p/d", at])).stdout, /^Mounted p\/d@1\.0\.0 at .*mnt\n$/);
  await varve.ok(["unmount", at]);
});

test("a writable mount keeps the owners of what it touches", OPTIONS, async (t) => {
  const { varve, at } = await userWithVersion(t);
  const folder = join(varve.home, "../files");
  chownSync(join(folder, "a"), 1234, 77);
  await varve.ok(["sync", folder, "p/d", "--metadata"]);
  await varve.ok(["mount", "-w", "p/d", at]);
  chmodSync(join(at, "a"), 0o600);
  await varve.ok(["unmount", at]);
  await varve.ok(["mount", "--preserve-owner", "p/d", at]);
  const { uid, gid, mode } = statSync(join(at, "a"));
  assert.deepEqual([uid, gid, mode & 0o777], [1234, 77, 0o600]);
  await varve.ok(["unmount", at]);
});

test(
  "doctor finds a mount whose process does not answer, and unmount --force takes it away",
  OPTIONS,
  async (t) => {
    const { varve, at } = await userWithVersion(t);
    await varve.ok(["mount", "-w", "p/d", at]);
    writeFileSync(join(at, "new"), "kept");
    const [{ pid }] = (await varve.ok(["status", at, "--json"])).json() as [{ pid: number }];
    process.kill(pid, "SIGSTOP");
    try {
      const findings = (await varve(["doctor", "--json"])).json() as { name: string; found: string }[];
      assert.equal(findings.find(({ name }) => name === "Mounts")?.found, `not answering: ${at}`);
      assert.equal((await varve(["unmount", "--force", at])).code, 5);
      assert.deepEqual(readdirSync(at), []);
    } finally {
      process.kill(pid, "SIGKILL");
    }
    const { committed } = (await varve.ok(["recover", "--commit", "--json"])).json() as {
      committed: { added: number };
    };
    assert.equal(committed.added, 1);
  },
);

test(
  "unmount --force of a read-only mount whose process does not answer has nothing left to tell",
  OPTIONS,
  async (t) => {
    const { varve, at } = await userWithVersion(t);
    await varve.ok(["mount", "p/d", at]);
    const [{ pid }] = (await varve.ok(["status", at, "--json"])).json() as [{ pid: number }];
    process.kill(pid, "SIGSTOP");
    try {
      assert.match(
        (await varve.ok(["unmount", "--force", at])).stdout,
        /^Cut off ".*", whose process does not answer\n$/,
      );
      assert.deepEqual(readdirSync(at), []);
    } finally {
      process.kill(pid, "SIGKILL");
    }
  },
);
