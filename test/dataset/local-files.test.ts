/** What a folder of the disk keeps in a version: every kind of file, and all that is known of each. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { walkFolder } from "../../src/dataset/local-walk.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { wildcardsOf } from "../../src/dataset/wildcard.js";
import { EntryType, hardLinksOf } from "../../src/manifest/entry.js";
import { MiB } from "../../src/units.js";
import { setTime, setXattr } from "../support/native.js";
import { asNobody } from "./support/nobody.js";
import { type Contents, describeFolder, describeVersion, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

/** A folder that is synced, and the version of it. */
async function synced(
  t: Parameters<typeof testUser>[0],
  contents: Contents,
  change: (at: (path: string) => string) => void,
) {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, contents);
  change((path) => join(scratch, path));
  const { committed, staged } = await syncVersion(scratch, "p/d", { workspace });
  const version = await Dataset.get("p/d", { workspace });
  return { workspace, scratch, version, committed: committed!, staged };
}

test("empty folders and symbolic links, dangling ones too, are kept", async (t) => {
  const links = { up: { target: "../.." }, dangling: { target: "no/where" }, odd: { target: "a\nb \t" } };
  const contents = { "empty/": "", "a/b/c/": "", "a/file": "", ...links };
  const { scratch, version } = await synced(t, contents, () => {});
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
});

test("modes are kept with set-uid, set-gid and sticky bits", async (t) => {
  const modes = { suid: 0o4755, sgid: 0o2755, none: 0o000, all: 0o777, "d/": 0o3770, "closed/": 0o500 };
  const contents = Object.fromEntries(Object.keys(modes).map((path) => [path, "x"]));
  const { scratch, version } = await synced(t, contents, (at) => {
    for (const [path, mode] of Object.entries(modes)) chmodSync(at(path), mode);
  });
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
  for (const [path, mode] of Object.entries(modes))
    assert.equal((await version.entry(path)).mode, mode, path);
});

test("times are kept to the nanosecond, before 1970 and after 2038 too", async (t) => {
  const times = {
    past: -1n,
    far: -1_234_567_890_123_456_789n,
    now: 1_700_000_000_123_456_789n,
    late: 4_294_967_296_000_000_001n,
  };
  const contents = { past: "1", far: "2", now: "3", late: "4", "folder/": "", link: { target: "past" } };
  const { scratch, version } = await synced(t, contents, (at) => {
    for (const [path, mtimeNs] of Object.entries(times)) setTime(at(path), mtimeNs);
    setTime(at("link"), -5n);
    setTime(at("folder"), 86_400_000_000_001n);
  });
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
  const { mtimeSec, mtimeNsec } = await version.entry("past");
  assert.deepEqual([mtimeSec, mtimeNsec], [-1, 999_999_999]);
});

test("extended attributes of files and folders are kept", async (t) => {
  const { scratch, version } = await synced(t, { file: "1", "folder/": "" }, (at) => {
    setXattr(at("file"), "user.b", Buffer.from([0, 255, 10]));
    setXattr(at("file"), "user.a", Buffer.from("text"));
    setXattr(at("folder"), "user.empty", Buffer.alloc(0));
  });
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
  assert.deepEqual([...(await version.entry("file")).xattrs!.keys()], ["user.a", "user.b"]);
});

test("files of one inode stay one file, and part again when the folder's files do", async (t) => {
  const { workspace, scratch, version } = await synced(t, { "b/one": "shared", alone: "1" }, (at) => {
    linkSync(at("b/one"), at("two"));
    linkSync(at("b/one"), at("b/three"));
    linkSync(at("alone"), at("../outside"));
  });
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
  assert.equal(
    Object.values(await describeVersion(version)).filter((line) => line.endsWith("same as two")).length,
    3,
  );

  execFileSync("cp", ["-p", join(scratch, "two"), join(scratch, "copy")]);
  renameSync(join(scratch, "copy"), join(scratch, "two"));
  const { committed } = await syncVersion(scratch, "p/d", { workspace, metadata: true });
  assert.ok(committed, "two files where there was one is a change of metadata");
  assert.deepEqual(await describeVersion(await Dataset.get("p/d", { workspace })), describeFolder(scratch));
  assert.equal(committed.contentBytesSent, 0);

  rmSync(join(scratch, "b/three"));
  await syncVersion(scratch, "p/d", { workspace });
  assert.deepEqual(await describeVersion(await Dataset.get("p/d", { workspace })), describeFolder(scratch));
});

test("two names of one symbolic link stay one, and a sync of the same finds nothing to do", async (t) => {
  const { workspace, scratch, version } = await synced(
    t,
    { a: { target: "nowhere" }, "sub/x": "x" },
    (at) => {
      linkSync(at("a"), at("sub/b"));
    },
  );
  const linksOf = async (path: string) => hardLinksOf(await version.entry(path));
  assert.deepEqual([await linksOf("a"), await linksOf("sub/b")], [["sub/b"], ["a"]]);
  assert.equal((await syncVersion(scratch, "p/d", { workspace, metadata: true })).committed, undefined);
});

test("two names of one file that become two files are a change of metadata", async (t) => {
  const { workspace, scratch } = await synced(t, { a: "shared" }, (at) => {
    linkSync(at("a"), at("b"));
  });
  execFileSync("cp", ["-p", join(scratch, "b"), join(scratch, "c")]);
  renameSync(join(scratch, "c"), join(scratch, "b"));
  assert.equal((await syncVersion(scratch, "p/d", { workspace })).committed, undefined);
  const { committed } = await syncVersion(scratch, "p/d", { workspace, metadata: true });
  assert.equal(committed?.metadata, 3, "both names, and the folder they lie in");
  assert.deepEqual(await describeVersion(await Dataset.get("p/d", { workspace })), describeFolder(scratch));
  assert.equal((await syncVersion(scratch, "p/d", { workspace, metadata: true })).committed, undefined);
});

test("sparse files read back whole, and their holes are kept", async (t) => {
  const { scratch, version, committed } = await synced(t, { sparse: "start" }, (at) => {
    truncateSync(at("sparse"), 64 * MiB);
  });
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
  assert.ok(committed.contentBytesSent < 4 * MiB, `zeros were sent: ${committed.contentBytesSent} bytes`);
  const entry = await version.entry("sparse");
  assert.ok(entry.type === EntryType.file && entry.holes?.at(-1)?.[1] === 64 * MiB);
});

test("names that are not UTF-8, or are odd, or are 255 bytes long, are kept", async (t) => {
  const odd = ["new\nline", " space ", "\\back", "ünïcode", "-rf", "*", "x".repeat(255)];
  const contents = Object.fromEntries(odd.map((name) => [name, name]));
  const { scratch, version } = await synced(t, contents, (at) => {
    const folder = Buffer.concat([Buffer.from(at("/")), Buffer.from([0xff, 0xfe, 0x2e])]);
    writeFileSync(folder, "bytes");
  });
  assert.deepEqual(await describeVersion(version), describeFolder(scratch));
  assert.ok("\xff\xfe." in (await describeVersion(version)));
});

test("a fifo is left out and named", async (t) => {
  const { scratch, staged, version } = await synced(t, { "d/file": "1" }, (at) => {
    execFileSync("mkfifo", [at("d/fifo")]);
  });
  assert.deepEqual(staged.skipped, [{ path: join(scratch, "d/fifo"), reason: "a fifo, socket or device" }]);
  assert.deepEqual(Object.keys(await describeVersion(version)), ["d", "d/file"]);
});

test("a file that becomes a folder, and a folder that becomes a file or a link, are followed by sync", async (t) => {
  const { workspace, scratch } = await synced(t, { x: "file", "y/deep/z": "1", "w/v": "2" }, () => {});
  for (const path of ["x", "y", "w"]) rmSync(join(scratch, path), { recursive: true });
  writeFolder(scratch, { "x/inside": "folder", y: "file", w: { target: "y" } });
  await syncVersion(scratch, "p/d", { workspace });
  assert.deepEqual(await describeVersion(await Dataset.get("p/d", { workspace })), describeFolder(scratch));
  rmSync(scratch, { recursive: true });
  writeFolder(scratch, { x: "file", "y/deep/z": "1", "w/v": "2" });
  await syncVersion(scratch, "p/d", { workspace });
  const [first, , third] = await Promise.all(
    ["1.0.0", "1.0.1", "1.0.2"].map((label) => Dataset.get(`p/d@${label}`, { workspace })),
  );
  assert.deepEqual(
    await describeVersion(third!, { metadata: false }),
    await describeVersion(first!, { metadata: false }),
  );
});

test("a folder that may not be read is named in the failure", async (t) => {
  const { scratch } = await testUser(t);
  const closed = join(scratch, "closed");
  writeFolder(scratch, { "closed/a": "one", b: "two" });
  chmodSync(join(scratch, ".."), 0o755);
  chmodSync(closed, 0o000);
  const options = { wildcards: wildcardsOf(undefined), isRoot: true, onSkipped: () => {} };
  const message = `Cannot read "${closed}": permission denied`;
  assert.throws(() => asNobody(() => [...walkFolder(scratch, options)]), {
    code: "source-unreadable",
    message,
  });
  chmodSync(closed, 0o700);
});
