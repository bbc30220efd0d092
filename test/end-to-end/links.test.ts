/** External files in a version, through the kernel and the command line: added, mounted, read, and found changed. */
import assert from "node:assert/strict";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { NO_COUNTS } from "../dataset/support/folders.js";
import { entryJson } from "../../src/cli/entry-format.js";
import { isDatasetError } from "../../src/errors.js";
import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { tempDir } from "../support/temp.js";
import { type WebServer, webServer } from "../support/web-server.js";
import { isStale, linkUser, mountedLinks, readAt, textOf } from "./support/linking.js";
import { DATASET, MOUNTED, sh } from "./support/mounted.js";

function bytesAsked({ requests }: WebServer): number {
  const ranges = requests.map((request) => /bytes=(\d+)-(\d+)$/.exec(request)!);
  return ranges.reduce((sum, [, start, last]) => sum + Number(last) - Number(start) + 1, 0);
}

test(
  "files of this machine are read where they lie, and give ESTALE once they are written",
  MOUNTED,
  async (t) => {
    const user = await linkUser(t);
    const source = await tempDir(t);
    const bytes = noise("local", 3 * MiB + 5);
    writeFileSync(join(source, "large"), bytes);
    writeFileSync(join(source, "written"), noise("written", 2 * MiB));
    writeFileSync(join(source, "gone"), "soon");
    const at = await mountedLinks(user, `${source}/`, { to: "in" });

    assert.deepEqual(await readFile(join(at, "in/large")), bytes);
    assert.equal(await readFile(join(at, "in/gone"), "utf8"), "soon");
    const factOf = (name: string) =>
      sh('getfattr --only-values -n "$1" "$2"', `user.varve.${name}`, join(at, "in/large"));
    assert.equal(await factOf("url"), `file://${source}/large`);
    assert.equal(await factOf("cached"), "1");
    await assert.rejects(factOf("sha256"), /No such attribute/);
    appendFileSync(join(source, "written"), "more");
    await assert.rejects(readFile(join(at, "in/written")), isStale);
    rmSync(join(source, "gone"));
    assert.equal(await readFile(join(at, "in/gone"), "utf8"), "soon", "it was read before");
    const { code, stderr } = await user.varve(["cat", DATASET, "in/written"]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Cannot read "file:.*written" as it was added: the file was written, or replaced, since/,
    );
  },
);

test(
  "a mount that others may look into refuses files of this machine, and shows the others",
  MOUNTED,
  async (t) => {
    const user = await linkUser(t);
    const source = await tempDir(t);
    writeFileSync(join(source, "secret"), "of who mounts");
    const web = await webServer(t);
    web.files.set("/public", { bytes: Buffer.from("for all") });
    await user.version((draft) => draft.addExternalFiles([join(source, "secret"), `${web.url}/public`]));
    for (const options of [["--allow-other"], ["--allow-other", "--writable"]]) {
      const at = await user.mount(...options);
      await assert.rejects(readFile(join(at, "secret")), { code: "EACCES" });
      assert.equal(await readFile(join(at, "public"), "utf8"), "for all");
    }
    assert.equal(await readFile(join(await user.mount(), "secret"), "utf8"), "of who mounts");
  },
);

test(
  "a file of a web server is read by range, once for all mounts, through cut answers",
  MOUNTED,
  async (t) => {
    const user = await linkUser(t);
    const web = await webServer(t);
    const bytes = noise("web", 12 * MiB + 7);
    web.files.set("/data/large.bin", { bytes });
    const at = await mountedLinks(user, `${web.url}/data/large.bin`);
    web.requests.length = 0;
    web.faults = { cuts: 2 };

    const some = await readAt(join(at, "large.bin"), 7 * MiB - 3, 6);
    assert.deepEqual(some, bytes.subarray(7 * MiB - 3, 7 * MiB + 3));
    assert.ok(bytesAsked(web) <= 6 * MiB, `${bytesAsked(web)} bytes asked for to read 6, twice cut off`);
    assert.deepEqual(await readFile(join(at, "large.bin")), bytes);
    assert.equal(web.faults.cuts, 0);
    await user.varve.ok(["unmount", at]);
    web.requests.length = 0;
    assert.deepEqual(await readFile(join(await user.mount(), "large.bin")), bytes);
    assert.deepEqual(web.requests, []);
  },
);

test("a web server's file that changed gives ESTALE where it was not read before", MOUNTED, async (t) => {
  const user = await linkUser(t);
  const web = await webServer(t);
  const before = noise("before", 8 * MiB);
  web.files.set("/file", { bytes: before });
  const at = join(await mountedLinks(user, `${web.url}/file`), "file");

  assert.deepEqual(await readAt(at, 0, 100), before.subarray(0, 100));
  web.files.set("/file", { bytes: noise("after", 8 * MiB) });
  await assert.rejects(readAt(at, 6 * MiB, 100), isStale);
  assert.deepEqual(await readAt(at, 0, 100), before.subarray(0, 100));
  web.files.set("/file", { bytes: before });
  assert.deepEqual(await readAt(at, 6 * MiB, 100), before.subarray(6 * MiB, 6 * MiB + 100));
});

test("what cannot be pinned is refused without --unpinned, and shown as such with it", async (t) => {
  const user = await linkUser(t);
  const web = await webServer(t);
  const url = `${web.url}/file`;
  web.files.set("/file", { bytes: Buffer.from("hello"), etag: null });
  await user.varve.ok(["create", DATASET]);
  const refused = await user.varve(["add", "--link", url]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /a change would go unseen; --unpinned takes it all the same/);

  const dataset = await user.version((draft) => draft.addExternalFiles(url, { unpinned: true }));
  assert.match((await user.varve.ok(["ls", "-l", DATASET])).stdout, /file -> http:.*\/file \(unpinned\)/);
  const { type, size, pin, sha256, ...rest } = entryJson(await dataset.entry("file"));
  assert.deepEqual({ type, size, pin, sha256 }, { type: "link", size: 5, pin: null, sha256: null });
  assert.equal(rest["url"], url);
  assert.equal(await textOf(user, "file"), "hello");
});

test("links and files lie in one tree, and the newer takes the place of the older", async (t) => {
  const user = await linkUser(t);
  const source = await tempDir(t);
  const packed = join(await tempDir(t), "name");
  writeFileSync(join(source, "name"), "external");
  writeFileSync(packed, "packed");

  const first = await user.version((draft) => draft.addExternalFiles(join(source, "name")));
  assert.equal(await textOf(user, "name"), "external");
  const second = await user.version((draft) => draft.addFiles(packed));
  assert.equal(await textOf(user, "name"), "packed");
  await user.version((draft) => draft.addExternalFiles(`${source}/`));
  assert.equal(await textOf(user, "name"), "external");
  const unchanged = { added: [], modified: [], metadata: [], removed: [], renamed: [] };
  assert.deepEqual(await first.diff(second), { ...unchanged, modified: ["name"] });
  await user.version(async (draft) => {
    const again = await draft.addExternalFiles(source);
    assert.deepEqual(again, { ...NO_COUNTS, unchanged: 1, files: 1 });
  });
});

test("a URL that leads nowhere, or holds credentials, is refused, and nothing is staged", async (t) => {
  const user = await linkUser(t);
  const web = await webServer(t);
  const tries: [string, string][] = [
    [`${web.url}/missing`, "not-found"],
    [join(await tempDir(t), "missing"), "not-found"],
    ["https://user:secret@host/file", "bad-input"],
  ];
  await user.version(async (draft) => {
    for (const [url, code] of tries)
      await assert.rejects(
        draft.addExternalFiles(url),
        (error) => isDatasetError(error) && error.code === code,
      );
    assert.equal(draft.stagedEffect(), "content", "the root folder alone");
  });
});
