/** `varve verify`: stored content and copies, with real damage. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { type Scope } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";

const REFERENCE = "lab/data@1.0.0";

async function userWithVersion(scope: Scope) {
  const varve = await varveUser(scope);
  const folder = await tempDir(scope);
  const [source, copy, remote] = ["source", "copy", "remote"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFolder(source, { "a/first": "first", second: "second" });
  await varve.ok(["sync", source, "lab/data", "--remote", `file://${remote}`]);
  await varve.ok(["get", "lab/data", copy]);
  const [pack] = readdirSync(join(remote, "packs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return { varve, copy, pack: pack! };
}

test("verify of what is stored says what it read, and exits with 1 and names the file once a byte is flipped", async (t) => {
  const { varve, pack } = await userWithVersion(t);
  const whole = await varve.ok(["verify", "lab/data"]);
  assert.equal(whole.stdout, "1 pack, 2 chunks, 11 B read: nothing is wrong\n");

  const bytes = readFileSync(pack);
  bytes[bytes.indexOf("second")]! ^= 1;
  writeFileSync(pack, bytes);
  const damaged = await varve(["verify", "lab/data"]);
  assert.equal(damaged.code, 1);
  const lines = damaged.stdout.trimEnd().split("\n");
  assert.match(lines[0]!, /^damaged {2}chunk file:\/\/\S+ packs\/\S+ \[\d+, \d+\): /);
  assert.deepEqual(lines.slice(1), ["         in second", "1 pack, 2 chunks, 11 B read: 1 fault in 1 file"]);
  assert.equal((await varve(["verify", "lab/data", "--size"])).code, 0);
});

test("verify --size exits with 1 when a pack is gone, and --json says which files that costs", async (t) => {
  const { varve, pack } = await userWithVersion(t);
  rmSync(pack);
  const answer = await varve(["verify", "lab/data", "--size", "--json"]);
  assert.equal(answer.code, 1);
  const { version, by, damaged } = answer.json() as Record<string, unknown> & {
    damaged: { state: string; what: string; paths: string[] }[];
  };
  assert.deepEqual([version, by], [REFERENCE, "size"]);
  assert.deepEqual(
    damaged.map(({ state, what, paths }) => [state, what, ...paths]),
    [["missing", "pack", "second", "a/first"]],
  );
});

test("verify of a copy lists what differs, and with --links adds those", async (t) => {
  const { varve, copy } = await userWithVersion(t);
  const same = await varve.ok(["verify", "lab/data", copy]);
  assert.equal(same.stdout, `4 entries compared with "${copy}": as in the version\n`);
  rmSync(join(copy, "second"));
  writeFolder(copy, { "a/first": "FIRST", new: "" });
  const differs = await varve(["verify", "lab/data", copy, "--size", "--links"]);
  assert.deepEqual(
    [differs.code, differs.stdout.split("\n").slice(0, -1)],
    [
      1,
      ["extra       new", "missing     second"].concat(
        `4 entries compared by size with "${copy}": 2 differences`,
        "0 links, as linked",
      ),
    ],
  );
  const byHash = await varve(["verify", "lab/data", copy]);
  assert.match(byHash.stdout, /^changed {5}a\/first: SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}$/m);
  assert.equal((await varve(["verify", "lab/data", join(copy, "nowhere")])).code, 3);
});
