/**
 * What an earlier varve stored is read, and what a later one stored is refused. `test/fixtures/formats` has one archive for
 * each state that formats were released in, made by `scripts/format-fixture.ts` of that time.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import Database from "better-sqlite3";

import type { RemoteId } from "../../src/content/chunk.js";
import { parseHeader } from "../../src/content/segment-object.js";
import { isDatasetError } from "../../src/errors.js";
import { openRange } from "../../src/manifest/range.js";
import { openRoot } from "../../src/manifest/root.js";
import { onlyOnSqlite } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { FIXTURE_FILES } from "./contents.js";

const FIXTURES = fileURLToPath(new URL("../../../test/fixtures/formats/", import.meta.url));
const ARCHIVES = readdirSync(FIXTURES).filter((name) => name.endsWith(".tar.gz"));
/** The catalog in an archive is a file. */
const OPTIONS = { skip: onlyOnSqlite("default place") };

interface Unpacked {
  folder: string;
  remote: string;
  /** The user who made it all. */
  old: Varve;
  /** Somebody who has nothing yet. */
  fresh: Varve;
}

for (const archive of ARCHIVES)
  describe(archive, OPTIONS, () => {
    test("its remote is read without a catalog: content, metadata, reports", async (t) => {
      const { remote, fresh } = await unpacked(t, archive);
      const of = (label: string) => `${remote}#old/data@${label}`;
      for (const [name, text] of Object.entries(FIXTURE_FILES))
        assert.equal((await fresh.ok(["cat", of("1.0.1"), name])).stdout, text, name);
      const listed = (await fresh.ok(["ls", of("1.0.0"), "-R", "--json"])).json() as {
        path: string;
        mode: number;
      }[];
      assert.deepEqual(
        listed.map(({ path }) => path).sort(),
        [...Object.keys(FIXTURE_FILES), "dir", "link"].sort(),
      );
      assert.equal((await fresh.ok(["metadata", "get", of("1.0.0"), "note"])).stdout, "a\n");
      assert.match((await fresh.ok(["query", of("1.0.1"), "label = 'cat'"])).stdout, /a\.txt/);
      assert.match((await fresh.ok(["preview", of("1.0.0")])).stdout, /table\.csv/);
      await fresh.ok(["verify", of("1.0.1")]);
    });

    test("its catalog, cache and draft are used, and its overlay is committed", async (t) => {
      const all = await unpacked(t, archive);
      const { old } = all;
      await tellOfMove(all);
      const offline = await old.ok(["cat", "old/data@1.0.1", "a.txt"], { env: { VARVE_OFFLINE: "1" } });
      assert.equal(offline.stdout, "a\n", "from the cache");
      const versions = (await old.ok(["versions", "old/data", "--json"])).json() as {
        version: string;
        tags: string[];
      }[];
      assert.deepEqual(
        versions.map(({ version, tags }) => [version, tags]),
        [
          ["1.0.0", ["kept"]],
          ["1.0.1", []],
        ],
      );
      await old.ok(["finalize"]);
      assert.equal((await old.ok(["cat", "old/draft", "staged/run.sh"])).stdout, "#!/bin/sh\n");
      await old.ok(["recover", "--commit"]);
      assert.equal((await old.ok(["cat", "old/data", "uncommitted.txt"])).stdout, "uncommitted\n");
      assert.equal((await old(["cat", "old/data", "second.txt"])).code, 3);
    });

    test("its bundle is imported", async (t) => {
      const { folder, fresh } = await unpacked(t, archive);
      await fresh.ok(["import", join(folder, "bundle.zip")]);
      assert.equal((await fresh.ok(["cat", "old/offline", "off.txt"])).stdout, "made offline\n");
    });
  });

describe("what a newer varve wrote is refused, with the advice to update", OPTIONS, () => {
  const newest = ARCHIVES.at(-1)!;

  const bumps: [string, (unpacked: Unpacked) => void, (unpacked: Unpacked) => Promise<{ stderr: string }>][] =
    [
      ["a remote", ({ remote }) => bumpJson(join(remote, "varve.json")), readsRemote],
      [
        "a version record",
        ({ remote }) => bumpJson(first(join(remote, "datasets"), /versions\/1\.0\.1$/)),
        readsRemote,
      ],
      [
        "a catalog",
        ({ old }) => edit(join(old.home, "catalog.db"), "update catalog_format set version = 999"),
        lists,
      ],
      [
        "a draft",
        ({ old }) =>
          edit(
            first(join(old.home, "drafts"), /\.db$/),
            "update facts set value = '99' where name = 'format'",
          ),
        finalizes,
      ],
      [
        "an overlay's journal",
        ({ old }) =>
          edit(
            first(join(old.home, "overlays"), /journal\.db$/),
            "update meta set value = '99' where key = 'format'",
          ),
        recovers,
      ],
      [
        "the state of an overlay",
        ({ old }) => bumpJson(first(join(old.home, "overlays"), /overlay\.json$/)),
        recovers,
      ],
      ["the state of a mount", ({ old }) => bumpJson(first(join(old.home, "mounts"), /\.json$/)), asksMount],
    ];
  for (const [what, bump, use] of bumps)
    test(what, async (t) => {
      const all = await unpacked(t, newest);
      bump(all);
      const { stderr } = await use(all);
      assert.match(
        stderr,
        /a newer varve wrote it \(format \d+, and this one knows up to \d+\); update varve/,
      );
    });

  test("a cache, which is then done without", async (t) => {
    const { remote, old } = await unpacked(t, newest);
    edit(join(old.home, "cache/index.db"), "pragma user_version = 99");
    const { stdout, stderr } = await old.ok(["cat", `${remote}#old/data@1.0.1`, "a.txt"]);
    assert.equal(stdout, "a\n");
    assert.match(stderr, /cache bypassed.*a newer varve wrote it/);
  });

  test("a root, a range and an index segment", async (t) => {
    const { remote } = await unpacked(t, newest);
    const refused = (folder: string, at: number, open: (bytes: Buffer) => unknown) => {
      const bytes = readFileSync(first(join(remote, folder), /./));
      open(bytes);
      bytes.writeUInt16LE(99, at);
      assert.throws(
        () => open(bytes),
        (error) =>
          isDatasetError(error, "format-newer") &&
          error.data.version === 99 &&
          /update varve/.test(error.message),
      );
    };
    const id = idOf(remote);
    refused("roots", 4, openRoot);
    refused("ranges", 4, (bytes) => openRange(bytes, id));
    refused("segments", 8, parseHeader);
  });
});

function readsRemote({ remote, fresh }: Unpacked) {
  return failing(fresh, ["ls", `${remote}#old/data@1.0.1`]);
}

function lists({ old }: Unpacked) {
  return failing(old, ["list"]);
}

function finalizes({ old }: Unpacked) {
  return failing(old, ["finalize"]);
}

function recovers({ old }: Unpacked) {
  const [id] = readdirSync(join(old.home, "overlays"));
  return failing(old, ["recover", id!, "--commit"]);
}

function asksMount({ old }: Unpacked) {
  const { mountpoint } = JSON.parse(readFileSync(first(join(old.home, "mounts"), /\.json$/), "utf8")) as {
    mountpoint: string;
  };
  return failing(old, ["status", mountpoint]);
}

async function failing(varve: Varve, args: string[]) {
  const answer = await varve(args);
  assert.notEqual(answer.code, 0, answer.stdout);
  return answer;
}

async function unpacked(t: TestContext, archive: string): Promise<Unpacked> {
  const folder = await tempDir(t);
  execFileSync("tar", ["-xzf", join(FIXTURES, archive), "-C", folder, "--no-same-owner"]);
  const remote = join(folder, "remote");
  const old = await varveUser(t, { VARVE_REMOTE: remote }, folder);
  return { folder, remote, old, fresh: await varveUser(t) };
}

/** The remote lies elsewhere than when the archive was made, as a bucket that was moved does. */
async function tellOfMove({ remote, old }: Unpacked): Promise<void> {
  await old.ok(["remote", "set", idOf(remote), remote]);
}

function idOf(remote: string): RemoteId {
  return (JSON.parse(readFileSync(join(remote, "varve.json"), "utf8")) as { id: RemoteId }).id;
}

/** The first file below a folder whose path fits. */
function first(folder: string, pattern: RegExp): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return paths.sort().find((path) => pattern.test(path)) ?? assert.fail(`no such file below ${folder}`);
}

function bumpJson(path: string): void {
  const json = JSON.parse(readFileSync(path, "utf8")) as { format: number };
  writeFileSync(path, JSON.stringify({ ...json, format: 99 }));
}

function edit(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}
