import assert from "node:assert/strict";
import { test } from "node:test";

import { contentOfFile, makeLargeVersion, pathOfFile } from "../../bench/support/large-version.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { findVersion } from "../../src/dataset/history.js";
import { textIn, writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

test("a version that the generator makes without files is the one a sync of those files makes", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  const made = await makeLargeVersion(workspace, { dataset: "p/made", files: 250, filesInFolder: 100 });

  const numbers = [...Array(250).keys()];
  const files = numbers.map((number) => [pathOfFile(number, 100), contentOfFile(number)]);
  writeFolder(scratch, Object.fromEntries(files) as Record<string, Uint8Array>);
  const draft = await Dataset.create("p/synced", { workspace });
  await draft.addFiles(scratch);
  await draft.finalize({ autoUpload: true });

  const { version } = await findVersion(workspace, "p/synced");
  assert.equal(made.contentDigest, version.contentDigest);
  assert.deepEqual([made.files, made.added, made.bytes], [250, version.added, version.bytes]);
  const dataset = await Dataset.get("p/made", { workspace });
  assert.equal(await textIn(dataset, pathOfFile(249, 100)), Buffer.from(contentOfFile(249)).toString());
});
