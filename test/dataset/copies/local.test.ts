import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { dropCopy, listCopies, makeRoom } from "../../../src/dataset/copies/copies-area.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { setTime, setXattr } from "../../support/native.js";
import { describeFolder, writeFolder } from "../support/folders.js";
import { copyUser } from "./support.js";

const CONTENTS = {
  "a/data": "untouched",
  "a/run": "#!/bin/sh\n",
  "a/b/deep": "deep",
  link: { target: "a/data" },
  "empty/": "",
  large: noise("large", 5 * MiB),
};

function prepare(source: string): void {
  chmodSync(join(source, "a/run"), 0o755);
  setXattr(join(source, "a/data"), "user.note", Buffer.from("kept"));
  setTime(join(source, "a/data"), 1_234_567_890_123_456_789n);
  setTime(join(source, "a"), 1_000_000_000_000_000_001n);
}

/** What a read-only copy differs in. */
function readOnly(described: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(described).map(([path, line]) => [
      path,
      line.replace(/^(directory|file \w+ executable) 7\d\d/, "$1 555").replace(/^(file \w+) 6\d\d/, "$1 444"),
    ]),
  );
}

test("a copy of files holds what the version holds, for reading; asked for again it is the same and costs no writing", async (t) => {
  const { dataset, source } = await copyUser(t, CONTENTS, prepare);
  const first = await dataset.getLocalCopy({ mode: "files" });
  assert.deepEqual(describeFolder(first.path), readOnly(describeFolder(source)));
  const folder = lstatSync(join(first.path, "a"));
  const again = await dataset.getLocalCopy({ mode: "files" });
  assert.deepEqual(again, { ...first, writtenFiles: 0 });
  assert.equal(lstatSync(join(first.path, "a")).ctimeMs, folder.ctimeMs);
  assert.equal(lstatSync(join(first.path, "a/data")).nlink, 1);
});

test("D10: an edit of equal size is never served to a later reader, also where the mtime was set back, by root too", async (t) => {
  const { workspace, dataset } = await copyUser(t, CONTENTS, prepare);
  const { path } = await dataset.getLocalCopy({ mode: "files" });
  const before = describeFolder(path);
  const edited = join(path, "a/data");
  const { atime, mtime } = statSync(edited);
  chmodSync(edited, 0o644);
  writeFileSync(edited, "tampered!");
  utimesSync(edited, atime, mtime);
  setTime(edited, 1_234_567_890_123_456_789n);
  chmodSync(edited, 0o444);
  assert.equal(statSync(edited).size, "untouched".length);
  const later = await (await Dataset.get("p/d", { workspace })).getLocalCopy({ mode: "files" });
  assert.deepEqual([later.path, later.writtenFiles], [path, 1]);
  assert.equal(readFileSync(edited, "utf8"), "untouched");
  assert.deepEqual(describeFolder(path), before);
});

test("whatever was done to a copy is undone when it is asked for again", async (t) => {
  const { dataset } = await copyUser(t, CONTENTS, prepare);
  const { path } = await dataset.getLocalCopy({ mode: "files" });
  const before = describeFolder(path);
  chmodSync(path, 0o755);
  chmodSync(join(path, "a"), 0o700);
  rmSync(join(path, "a/b"), { recursive: true });
  rmSync(join(path, "empty"), { recursive: true });
  symlinkSync("/tmp", join(path, "empty"));
  rmSync(join(path, "link"));
  writeFolder(path, { link: "no link", "a/extra/x": "x", extra: "x" });
  const fd = join(path, "large");
  chmodSync(fd, 0o644);
  writeFileSync(fd, "short");
  await dataset.getLocalCopy({ mode: "files" });
  assert.deepEqual(describeFolder(path), before);
});

test("a reader that has a file open keeps it while the file is restored", async (t) => {
  const { dataset } = await copyUser(t, CONTENTS, prepare);
  const { path } = await dataset.getLocalCopy({ mode: "files" });
  const inode = statSync(join(path, "large")).ino;
  utimesSync(join(path, "large"), 1, 1);
  await dataset.getLocalCopy({ mode: "files" });
  assert.notEqual(statSync(join(path, "large")).ino, inode);
});

test("a copy that was cut off is gone on with, and two who ask at once do the work once", async (t) => {
  const contents = Object.fromEntries(
    Array.from({ length: 8_000 }, (_, at) => [`${at % 7}/${at}`, noise(`${at}`, 2_000)]),
  );
  const { user, dataset, source } = await copyUser(t, contents);
  const stop = new AbortController();
  const cut = { mode: "files", maxWorkers: 1, signal: stop.signal, onProgress: () => stop.abort() } as const;
  await assert.rejects(dataset.getLocalCopy(cut), { name: "AbortError" });
  const other = await Dataset.get("p/d", { workspace: user.open() });
  const both = await Promise.all([dataset, other].map((one) => one.getLocalCopy({ mode: "files" })));
  const written = both.map(({ writtenFiles }) => writtenFiles!).sort((a, b) => a - b);
  assert.equal(written[0], 0);
  assert.ok(written[1]! > 0 && written[1]! < 8_000, `wrote ${written[1]}`);
  assert.deepEqual(
    describeFolder(both[0]!.path, { metadata: false }),
    describeFolder(source, { metadata: false }),
  );
});

test("a choice of files and each part is a copy of its own, at a path that stays", async (t) => {
  const { dataset } = await copyUser(t, { a: "1", b: "2", c: "3" });
  const options = [
    {},
    { files: ["a"] },
    { globs: ["*"] },
    { part: 0, numParts: 2 },
    { part: 1, numParts: 2 },
  ];
  const copies = await Promise.all(options.map((each) => dataset.getLocalCopy({ mode: "files", ...each })));
  assert.equal(new Set(copies.map(({ path }) => path)).size, 5);
  const held = copies.map(({ path }) => Object.keys(describeFolder(path)));
  assert.deepEqual(held, [["a", "b", "c"], ["a"], ["a", "b", "c"], ["a"], ["b", "c"]]);
  const again = await dataset.getLocalCopy({ files: ["a"] });
  assert.deepEqual([again.kind, again.path], ["files", copies[1]!.path]);
});

test("copies are bounded: those used least recently and by nobody go first, and one that cannot fit is refused", async (t) => {
  const { user, workspace, dataset } = await copyUser(t, { a: noise("a", 100_000) });
  const ended = { pid: 0, startTicks: 0 };
  await dataset.getLocalCopy({ mode: "files", user: ended });
  await dataset.getLocalCopy({ files: ["a"], user: ended });
  await dataset.getLocalCopy({ globs: ["*"] });
  const keys = listCopies(user.home).map(({ key }) => key);
  assert.equal(keys.length, 3);
  const home = { ...user.home, copiesBytes: 250_000 };
  makeRoom(home, "new", { files: 1, bytes: 20_000 });
  assert.deepEqual(
    listCopies(home).map(({ key }) => key),
    keys.slice(0, 2),
  );
  const tooMuch = () => makeRoom(home, "new", { files: 1, bytes: 200_000 });
  assert.throws(tooMuch, { code: "cache-full", message: /VARVE_COPIES_SIZE/ });
  assert.deepEqual(
    listCopies(home).map(({ key, pids }) => [key, pids]),
    [[keys[0], [process.pid]]],
  );
  assert.equal(dropCopy(home, keys[0]!), false);
  await workspace.close();
});

test("a mount of some files is refused", async (t) => {
  const { dataset } = await copyUser(t, { a: "1" });
  await assert.rejects(dataset.getLocalCopy({ mode: "mount", files: ["a"] }), { code: "bad-input" });
});
