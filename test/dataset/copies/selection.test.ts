import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Clashes } from "../../../src/dataset/copies/case-clash.js";
import type { CopySelection } from "../../../src/dataset/copies/selection.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { bytesOfText, checkPath } from "../../../src/paths.js";
import { noise } from "../../content/noise.js";
import { tempDir } from "../../support/temp.js";
import { describeFolder, writeFolder } from "../support/folders.js";
import { copyUser } from "./support.js";

const CONTENTS = { "a/1.jpg": "1", "a/2.txt": "2", "a/b/3.jpg": "3", "c/4.txt": "4", "e/": "", top: "5" };

const SELECTED: [CopySelection, string[]][] = [
  [{ files: ["a/1.jpg", "top"] }, ["a", "a/1.jpg", "top"]],
  [{ files: ["a"] }, ["a", "a/1.jpg", "a/2.txt", "a/b", "a/b/3.jpg"]],
  [{ files: ["./a/b/"] }, ["a", "a/b", "a/b/3.jpg"]],
  [{ globs: ["*.jpg"] }, ["a", "a/1.jpg", "a/b", "a/b/3.jpg"]],
  [{ globs: ["a/*.txt", "c/*"] }, ["a", "a/2.txt", "c", "c/4.txt"]],
  [{ files: ["top"], globs: ["a/*.jpg"] }, ["a", "a/1.jpg", "top"]],
];

for (const [options, expected] of SELECTED)
  test(`a copy of ${JSON.stringify(options)} holds that and the folders it lies in`, async (t) => {
    const { dataset, target } = await copyUser(t, CONTENTS);
    await dataset.getMutableLocalCopy(target, options);
    assert.deepEqual(Object.keys(describeFolder(target)).sort(), expected);
  });

test("D13: a file that the version has not is an error that names it, never everything", async (t) => {
  const { dataset, target } = await copyUser(t, CONTENTS);
  for (const options of [{ files: ["a/1.jpg", "typo"] }, { globs: ["*.jpg", "typo*"] }]) {
    const refused = { code: "path-missing", message: /Cannot copy "typo\*?": the version/ };
    await assert.rejects(dataset.getMutableLocalCopy(target, options), refused);
  }
  assert.equal(existsSync(target), false);
});

test("only what the files asked for are made of is fetched", async (t) => {
  const contents = Object.fromEntries(
    Array.from({ length: 400 }, (_, at) => [`${at}`, noise(`${at}`, 10_000)]),
  );
  const { workspace, dataset, target } = await copyUser(t, contents);
  const { bytes } = await dataset.getMutableLocalCopy(target, { files: ["7", "300"] });
  assert.equal(bytes, 20_000);
  const fetched = (await workspace.cache()).stats().fetched.bytes;
  assert.ok(fetched < 200_000, `fetched ${fetched} bytes`);
});

for (const numParts of [1, 2, 3, 7])
  test(`${numParts} parts hold every file once, about equal bytes, and every folder; asked again they are the same`, async (t) => {
    const sizes = Array.from({ length: 200 }, (_, at) => (at * 7919) % 5_000);
    const contents = Object.fromEntries(sizes.map((size, at) => [`${at % 9}/${at}`, noise(`${at}`, size)]));
    const { dataset, source, target } = await copyUser(t, {
      ...contents,
      link: { target: "0/0" },
      "none/": "",
    });
    const all = describeFolder(source, { metadata: false });
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const seen: Record<string, string> = {};
    for (let part = 0; part < numParts; part++) {
      const { bytes } = await dataset.getMutableLocalCopy(`${target}-${part}`, { part, numParts });
      assert.ok(Math.abs(bytes - total / numParts) <= 5_000, `part ${part} has ${bytes} bytes`);
      const held = describeFolder(`${target}-${part}`, { metadata: false });
      for (const [path, what] of Object.entries(held)) {
        assert.ok(what === "directory" || !(path in seen), `${path} is in two parts`);
        seen[path] = what;
      }
      const folders = Object.values(held).filter((what) => what === "directory").length;
      assert.equal(folders, 10);
    }
    assert.deepEqual(seen, all);
    await dataset.getMutableLocalCopy(`${target}-again`, { part: numParts - 1, numParts });
    assert.deepEqual(describeFolder(`${target}-again`), describeFolder(`${target}-${numParts - 1}`));
  });

test("more parts than files leave some without files, and lose none", async (t) => {
  const { dataset, target } = await copyUser(t, { a: "", b: "", c: "" });
  const counts: number[] = [];
  for (let part = 0; part < 5; part++)
    counts.push((await dataset.getMutableLocalCopy(`${target}-${part}`, { part, numParts: 5 })).files);
  assert.deepEqual(counts, [1, 0, 1, 0, 1]);
});

const BAD_PARTS = [
  { part: 0 },
  { numParts: 2 },
  { part: 2, numParts: 2 },
  { part: -1, numParts: 2 },
  { part: 0, numParts: 0 },
  { part: 0.5, numParts: 2 },
  { part: NaN, numParts: 2 },
];

test("parts that cannot be are refused", async (t) => {
  const { dataset, target } = await copyUser(t, { a: "1" });
  for (const options of BAD_PARTS)
    await assert.rejects(
      dataset.getMutableLocalCopy(target, options),
      { code: "bad-input" },
      JSON.stringify(options),
    );
});

test("D8: an external file that has changed or is gone is an error that names it, never other bytes or none", async (t) => {
  const { workspace, target } = await copyUser(t, { a: "1" });
  const source = await tempDir(t);
  writeFolder(source, { one: "linked" });
  const draft = await Dataset.create("p/linked", { workspace });
  await draft.addExternalFiles(`${source}/`, { to: "far" });
  await draft.finalize();
  const dataset = await Dataset.get("p/linked", { workspace });
  await dataset.getMutableLocalCopy(target);
  assert.equal(readFileSync(join(target, "far/one"), "utf8"), "linked");
  writeFileSync(join(source, "one"), "drifted");
  const changed = { code: "source-changed", message: /Cannot copy "far\/one", an external file: / };
  await assert.rejects(dataset.getMutableLocalCopy(`${target}-2`), changed);
  assert.equal(existsSync(`${target}-2/far/one`), false);
  rmSync(join(source, "one"));
  await assert.rejects(dataset.getMutableLocalCopy(`${target}-3`), { message: /Cannot copy "far\/one"/ });
  const { files } = await dataset.getMutableLocalCopy(`${target}-4`, { links: "skip" });
  assert.deepEqual([files, Object.keys(describeFolder(`${target}-4`))], [0, ["far"]]);
});

test("D9: an external file that is newer than a packed one is what a copy holds, and the other way round", async (t) => {
  const { workspace, target } = await copyUser(t, { a: "1" });
  const source = await tempDir(t);
  writeFolder(source, { name: "external", "packed/name": "packed" });
  const change = async (parents: string[], add: (draft: Dataset) => Promise<unknown>) => {
    const draft = await Dataset.create("p/mixed", { workspace, parents });
    await add(draft);
    await draft.finalize({ autoUpload: true });
    const at = `${target}-${draft.version}`;
    await draft.getMutableLocalCopy(at);
    return readFileSync(join(at, "name"), "utf8");
  };
  const seen = [
    await change([], (draft) => draft.addFiles(join(source, "packed"))),
    await change(["p/mixed"], (draft) => draft.addExternalFiles(join(source, "name"))),
    await change(["p/mixed"], (draft) => draft.addFiles(join(source, "packed"))),
  ];
  assert.deepEqual(seen, ["packed", "external", "packed"]);
});

test("names that a file system takes for the same are told before anything is written", () => {
  const clashes = new Clashes();
  const add = (...paths: string[]) => paths.forEach((path) => clashes.add(checkPath(bytesOfText(path))));
  add("Ärger", "a", "b/A", "b/B", "c/a");
  assert.throws(() => add("c/A"), { code: "conflict", message: /"c\/a" and "c\/A"/ });
});
