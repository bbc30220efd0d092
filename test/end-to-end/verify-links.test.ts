/** `varve verify --links`, and links whose SHA-256 is known. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { VerifiedLinks } from "../../src/dataset/verify-links.js";
import { sha256 } from "../../src/content/hash.js";
import { isDatasetError } from "../../src/errors.js";
import { EntryType } from "../../src/manifest/entry.js";
import { s3Bucket } from "../support/foreign-buckets.js";
import { tempDir } from "../support/temp.js";
import { webServer } from "../support/web-server.js";
import { linkUser, textOf } from "./support/linking.js";
import { DATASET } from "./support/mounted.js";

test("verify --links names what has changed, is gone or cannot be asked, and then exits with 1", async (t) => {
  const bucket = await s3Bucket(t, false);
  const user = await linkUser(t, bucket.env);
  const [folder, web] = [await tempDir(t), await webServer(t)];
  for (const name of ["kept", "written", "gone"]) {
    writeFileSync(join(folder, name), name);
    await bucket.put(`in/${name}`, Buffer.from(name));
    web.files.set(`/${name}`, { bytes: Buffer.from(name) });
  }
  web.files.set("/refused", { bytes: Buffer.from("refused"), etag: null });
  await user.version(async (draft) => {
    await draft.addExternalFiles(`${folder}/`, { to: "file" });
    await draft.addExternalFiles(bucket.urlOf("in/"), { to: "s3" });
    const paths = ["kept", "written", "gone", "refused"].map((name) => `${web.url}/${name}`);
    await draft.addExternalFiles(paths, { to: "http", unpinned: true });
  });
  const before = (await user.varve.ok(["verify", DATASET, "--links", "--json"])).json();
  assert.deepEqual(before, {
    ...{ version: `${DATASET}@1.0.0`, of: "content", by: "hash", packs: 0, chunks: 0, bytes: 0, damaged: [] },
    links: { links: 10, unpinned: 1, drifted: [] },
  });

  writeFileSync(join(folder, "written"), "WRITTEN");
  rmSync(join(folder, "gone"));
  await bucket.put("in/written", Buffer.from("WRITTEN"));
  await bucket.remove("in/gone");
  web.files.set("/written", { bytes: Buffer.from("WRITTEN") });
  web.files.delete("/gone");
  web.redirects.set("/refused", "ftp://elsewhere/");
  const after = await user.varve(["verify", DATASET, "--links", "--json"]);
  assert.equal(after.code, 1);
  const { drifted } = (after.json() as { links: VerifiedLinks }).links;
  assert.deepEqual(
    drifted.map(({ path, state }) => `${path} ${state}`),
    ["file/gone missing", "file/written changed"].concat(
      ["http/gone missing", "http/refused failed", "http/written changed"],
      ["s3/gone missing", "s3/written changed"],
    ),
  );
  const { code, stdout } = await user.varve(["verify", DATASET, "--links"]);
  assert.equal(code, 1);
  assert.match(stdout, /^changed {2}file\/written -> file:\/\/.*\/written$/m);
  assert.match(stdout, /^10 links, 7 not as linked, 1 of them unpinned: only sizes were compared$/m);
});

test("with --hash the same bytes elsewhere are the same content", async (t) => {
  const user = await linkUser(t);
  const web = await webServer(t);
  const add = (url: string) =>
    user.version((draft) => draft.addExternalFiles(`${web.url}${url}`, { hash: true }));
  web.files.set("/here/name", { bytes: Buffer.from("hello") });
  web.files.set("/there/name", { bytes: Buffer.from("hello"), etag: '"another"' });
  const [here, there] = [await add("/here/name"), await add("/there/name")];

  const [before, after] = [await here.entry("name"), await there.entry("name")];
  assert.ok(before.type === EntryType.link && after.type === EntryType.link);
  assert.equal(after.sha256, sha256(Buffer.from("hello")));
  assert.notEqual(before.url, after.url);
  const { modified, metadata } = await here.diff(there);
  assert.deepEqual([modified, metadata], [[], ["name"]]);
});

test("bytes that changed behind an equal pin are found where their hash is known: when they are read, and by verify --hash", async (t) => {
  const user = await linkUser(t);
  const web = await webServer(t);
  web.files.set("/file", { bytes: Buffer.from("hello"), etag: '"same"' });
  const dataset = await user.version((draft) => draft.addExternalFiles(`${web.url}/file`, { hash: true }));
  web.files.set("/file", { bytes: Buffer.from("HELLO"), etag: '"same"' });

  assert.equal((await dataset.verifyLinks()).drifted.length, 0);
  const { drifted } = await dataset.verifyLinks({ hash: true });
  assert.deepEqual(
    drifted.map(({ path, state }) => `${path} ${state}`),
    ["file changed"],
  );
  await assert.rejects(textOf(user, "file"), (error) => isDatasetError(error, "source-changed"));
});
