import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import {
  deviceFinding,
  examineMachine,
  helperFinding,
  kernelFinding,
  libraryFinding,
  nodeFinding,
  othersFinding,
} from "../../src/doctor/machine.js";
import { tempDir } from "../support/temp.js";

test("Node.js is new enough from 20.19 on, and an older one is told where to get a newer", () => {
  const versions = ["18.20.8", "20.18.3", "20.19.0", "22.0.0"];
  assert.deepEqual(
    versions.map((version) => nodeFinding(version).ok),
    [false, false, true, true],
  );
  assert.match(nodeFinding("20.18.3").advice, /^Install Node\.js 20\.19 or newer/);
  assert.equal(nodeFinding("22.0.0").advice, "");
});

test("passthrough asks for Linux 6.9 and root, and varve works without", () => {
  const findings = [
    kernelFinding("6.18.4-arch", true),
    kernelFinding("6.9.0", false),
    kernelFinding("5.15.0-91-generic", true),
  ];
  assert.deepEqual(
    findings.map(({ ok, needed }) => [ok, needed]),
    [
      [true, false],
      [false, false],
      [false, false],
    ],
  );
  assert.match(findings[1]!.advice, /, mount as root$/);
  assert.match(findings[2]!.advice, /use Linux 6\.9 or newer, and mount as root$/);
});

test("a FUSE device that is missing or of no use is found out by opening it", async (t) => {
  const missing = deviceFinding(join(await tempDir(t), "fuse"));
  assert.deepEqual(
    [missing.ok, missing.needed, missing.advice],
    [false, true, "Load it with: modprobe fuse"],
  );
  assert.match(missing.found, /cannot be opened \(ENOENT\)$/);
  assert.equal(deviceFinding("/dev/null").ok, true);
});

test("the mount helper is looked for along the PATH, and must be a program", async (t) => {
  const folder = await tempDir(t);
  const helper = join(folder, "fusermount3");
  await writeFile(helper, "");
  assert.equal(helperFinding(`/nowhere:${folder}`).ok, false);
  await chmod(helper, 0o755);
  const { ok, found } = helperFinding(`/nowhere:${folder}`);
  assert.deepEqual([ok, found], [true, helper]);
});

test("other users are let in only by a line that is no comment", () => {
  const texts = [
    "",
    "# user_allow_other\n",
    "mount_max = 10\nuser_allow_other\n",
    "  user_allow_other # yes",
  ];
  assert.deepEqual(
    texts.map((text) => othersFinding(text).ok),
    [false, false, true, true],
  );
});

test("a library that does not load is named with the first line of its problem and how to mend it", () => {
  const load = () => {
    throw new Error("cannot open shared object file\nRequire stack: …");
  };
  assert.deepEqual(libraryFinding("koffi", load), {
    name: "koffi",
    ok: false,
    needed: true,
    found: "cannot be loaded: cannot open shared object file",
    advice: "Install it again: npm rebuild koffi",
  });
});

test("on the machine that runs these tests every library loads", () => {
  const names = ["Node.js", "better-sqlite3", "koffi", "fuse-native"];
  const findings = examineMachine().filter(({ name }) => names.includes(name));
  assert.deepEqual(
    findings.map(({ name, ok, found }) => [name, ok, found]),
    names.map((name) => [name, true, name === "Node.js" ? process.versions.node : "loads"]),
  );
});
