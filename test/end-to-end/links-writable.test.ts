/** Links in a writable mount: files as any other, and ordinary files once they are written. */
import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { isDatasetError } from "../../src/errors.js";
import { type Entry, EntryType } from "../../src/manifest/entry.js";
import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { tempDir } from "../support/temp.js";
import { type LinkUser, linkUser, textOf } from "./support/linking.js";
import { DATASET, MOUNTED } from "./support/mounted.js";

const CONTENT = noise("writable", 3 * MiB + 10);
const NAMES = [
  "kept",
  "moved",
  "removed",
  "changed",
  "appended",
  "cut",
  "emptied",
  "replaced",
  "linked",
  "executable",
];

/** A version with a link of each name below `in`, mounted writable. */
async function writableLinks(t: TestContext): Promise<{ user: LinkUser; at: string; source: string }> {
  const user = await linkUser(t);
  const source = await tempDir(t);
  for (const name of NAMES) writeFileSync(join(source, name), CONTENT);
  await user.version((draft) => draft.addExternalFiles(`${source}/`, { to: "in" }));
  return { user, source, at: await user.mount("--writable") };
}

/** What a version has of each path: a file, or a link. */
async function kindsIn({ workspace }: LinkUser): Promise<Record<string, string>> {
  const kinds: Record<string, string> = {};
  const shown = { [EntryType.file]: "file", [EntryType.link]: "link" } as Record<number, string>;
  const describe = (entry: Entry) => `${shown[entry.type]!} ${(entry.mode & 0o777).toString(8)}`;
  for await (const entry of (await Dataset.get(DATASET, { workspace })).listFiles())
    if (entry.type !== EntryType.directory) kinds[entry.path] = describe(entry);
  return kinds;
}

async function overwrite(path: string, offset: number, text: string): Promise<void> {
  const file = await open(path, "r+");
  await file.write(text, offset);
  await file.close();
}

test(
  "a link that is moved stays a link, one that is written becomes a file with its content",
  MOUNTED,
  async (t) => {
    const { user, at } = await writableLinks(t);
    const path = (name: string) => join(at, "in", name);
    await mkdir(join(at, "out"));
    await rename(path("moved"), join(at, "out/moved"));
    await rm(path("removed"));
    await overwrite(path("changed"), 2 * MiB, "changed");
    await appendFile(path("appended"), "more");
    await truncate(path("cut"), MiB + 3);
    await truncate(path("emptied"));
    await rm(path("replaced"));
    await writeFile(path("replaced"), "another");
    await link(path("linked"), path("linked-too"));
    await chmod(path("executable"), 0o755);
    const changed = Buffer.from(CONTENT);
    changed.write("changed", 2 * MiB);
    assert.deepEqual(await readFile(path("changed")), changed);

    const before = (await user.varve.ok(["diff", at, "--json"])).json() as Record<string, unknown>;
    assert.deepEqual(before["renamed"], [{ from: "in/moved", to: "out/moved" }]);
    await user.varve.ok(["unmount", at]);
    assert.deepEqual(await kindsIn(user), {
      "in/appended": "file 644",
      "in/changed": "file 644",
      "in/cut": "file 644",
      "in/emptied": "file 644",
      "in/executable": "link 755",
      "in/kept": "link 644",
      "in/linked": "link 644",
      "in/linked-too": "link 644",
      "in/replaced": "file 644",
      "out/moved": "link 644",
    });
    const again = await user.mount();
    const read = (name: string) => readFile(join(again, name));
    for (const name of ["in/kept", "in/linked-too", "in/executable", "out/moved"])
      assert.deepEqual(await read(name), CONTENT, name);
    assert.deepEqual(await read("in/changed"), changed);
    assert.deepEqual(await read("in/appended"), Buffer.concat([CONTENT, Buffer.from("more")]));
    assert.deepEqual(await read("in/cut"), CONTENT.subarray(0, MiB + 3));
    assert.equal((await read("in/emptied")).length, 0);
  },
);

test(
  "a commit that needs bytes of a source that has changed keeps the changes for recover",
  MOUNTED,
  async (t) => {
    const { user, at, source } = await writableLinks(t);
    await overwrite(join(at, "in/changed"), 0, "changed");
    appendFileSync(join(source, "changed"), "more");
    const unmounted = await user.varve(["unmount", at]);
    assert.equal(unmounted.code, 5);
    assert.match(unmounted.stderr, /the file was written, or replaced, since/);
  },
);

test("links are removed by the URLs they lead to", async (t) => {
  const user = await linkUser(t);
  const source = await tempDir(t);
  for (const name of ["a", "b", "c"]) writeFileSync(join(source, name), name);
  await user.version(async (draft) => {
    await draft.addExternalFiles(`${source}/`, { to: "one" });
    await draft.addExternalFiles(join(source, "a"), { to: "two" });
    await draft.addFiles(join(source, "b"), { to: "three" });
  });
  await user.version(async (draft) => {
    assert.equal(await draft.removeExternalFiles(`file://${source}/a`), 2);
    await assert.rejects(draft.removeExternalFiles("file:///nowhere"), (error) =>
      isDatasetError(error, "path-missing"),
    );
  });
  assert.deepEqual(Object.keys(await kindsIn(user)).sort(), ["one/b", "one/c", "three/b"]);
  await user.version(async (draft) => assert.equal(await draft.removeExternalFiles(`${source}/`), 2));
  assert.deepEqual(Object.keys(await kindsIn(user)), ["three/b"]);
  assert.equal(await textOf(user, "three/b"), "b");
});
