/** What `upload` and `finalize` are told: another remote, patience, and nothing that they do not know. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import type { LinkOptions } from "../../src/dataset/external-files.js";
import type { UploadOptions } from "../../src/dataset/upload.js";
import { DatasetError } from "../../src/errors.js";
import { writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

async function draftOfTwo(t: TestContext, files: Record<string, string> = { a: "1", "b/c": "22" }) {
  const user = await testUser(t);
  const workspace = user.open();
  writeFolder(user.scratch, files);
  const draft = await Dataset.create("p/d", { workspace });
  await draft.addFiles(user.scratch);
  return { user, workspace, draft, elsewhere: join(user.scratch, "..", "elsewhere") };
}

test("a draft that has sent nothing goes to another remote at its upload, all of it", async (t) => {
  const { user, draft, elsewhere } = await draftOfTwo(t);
  await draft.upload({ remote: elsewhere });
  const { id } = await draft.finalize();
  rmSync(user.home.defaultRemote, { recursive: true });
  const read = await Dataset.get(id, { workspace: user.open() });
  assert.equal(await text(read.readFile("b/c")), "22");
  const other = await testUser(t, elsewhere);
  const found = await Dataset.get(`file://${elsewhere}#p/d`, { workspace: other.open() });
  assert.equal(found.id, id, "a reader of the remote alone finds it under its name");
});

test("finalize sends a draft elsewhere too, one that a process before has staged", async (t) => {
  const { user, draft, elsewhere } = await draftOfTwo(t);
  draft.close();
  const again = await Dataset.get(draft.id, { onlyCompleted: false, workspace: user.open() });
  await again.finalize({ remote: `file://${elsewhere}`, autoUpload: true });
  assert.ok(existsSync(join(elsewhere, "packs")));
  assert.ok(!existsSync(join(user.home.defaultRemote, "packs")), "nothing was sent to the first");
});

test("once something was sent the remote stays: content, a large metadata value, or a large report", async (t) => {
  const { draft, workspace, elsewhere } = await draftOfTwo(t);
  await draft.upload();
  const sent = (error: unknown) =>
    error instanceof DatasetError && error.code === "conflict" && /lies already/.test(error.message);
  await assert.rejects(draft.upload({ remote: elsewhere }), sent);
  await assert.rejects(draft.finalize({ remote: elsewhere }), sent);
  const described = await Dataset.create("p/e", { workspace });
  await described.setMetadata(randomBytes(1_000_000));
  await assert.rejects(described.upload({ remote: elsewhere }), sent);
  const reported = await Dataset.create("p/f", { workspace });
  await reported.getLogger().reportText({ title: "long", text: randomBytes(4_000).toString("hex") });
  await assert.rejects(reported.upload({ remote: elsewhere }), sent);
  await draft.upload({ remote: await draft.getStorage() });
  assert.equal((await draft.finalize()).files, 2, "the remote it has is no other");
});

test("a dataset of that name in the other remote is not taken for this one", async (t) => {
  const { draft, elsewhere } = await draftOfTwo(t);
  const other = await testUser(t, elsewhere);
  (await Dataset.create("p/d", { workspace: other.open() })).close();
  await assert.rejects(
    draft.upload({ remote: elsewhere }),
    /another dataset of that name lives there already/,
  );
  assert.equal((await draft.upload()).files, 2, "and the draft is as it was");
});

test("an option there is not is an error, before anything is done", async (t) => {
  const { draft } = await draftOfTwo(t);
  const unknown = { code: "bad-input", data: { value: "quietly" } };
  const asked: UploadOptions & LinkOptions = {};
  Object.assign(asked, { quietly: true });

  await assert.rejects(draft.upload(asked), unknown);
  await assert.rejects(draft.finalize({ autoUpload: true, ...asked }), unknown);
  await assert.rejects(draft.addExternalFiles("file:///etc/hostname", asked), unknown);
  assert.ok(draft.isDirty && !draft.isFinal);
});
