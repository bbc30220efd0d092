/** What killed processes left of drafts is taken away by the next who makes one, and is in nobody's way until then. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import type { VersionId } from "../../src/dataset/reference.js";
import { Staging } from "../../src/dataset/staging.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { writeFolder } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

/** No process has that number, and none began then. */
const KILLED = { host: hostname(), pid: 2 ** 22 + 1, startTicks: 1 };

test("a squash that was killed leaves its label to the next", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "one" });
  await syncVersion(scratch, "p/d", { workspace });
  await cutOffDraft(workspace, "p/flat");
  const { version } = await Dataset.squash("p/flat", { references: ["p/d"], workspace });
  assert.equal(version, "1.0.0");
  assert.deepEqual(draftsOf(workspace), []);
});

test("an import that was killed is no import: the next one makes the version", async (t) => {
  const { home, open, scratch } = await testUser(t);
  const offline = new Workspace({ home, offline: true, notice: () => undefined });
  writeFolder(scratch, { a: "one" });
  const { committed } = await syncVersion(scratch, "p/d", { workspace: offline });
  await offline.close();
  const workspace = open();
  await cutOffDraft(workspace, "p/d", committed!.id as VersionId);
  const imported = await Dataset.importOfflineSession(committed!.bundle!.zip, { workspace });
  assert.deepEqual(
    imported.map(({ id, reference, outcome }) => [id, reference, outcome]),
    [[committed!.id, "p/d@1.0.0", "imported"]],
  );
});

test("files of drafts without a row, or beside a finished version, go; those of another catalog stay", async (t) => {
  const { open, scratch } = await testUser(t);
  const workspace = open();
  writeFolder(scratch, { a: "one" });
  const draft = await Dataset.create("p/d", { workspace });
  const [rowless, ofOther] = ["0".repeat(32), "1".repeat(32)].map((id) => workspace.draftFile(id));
  for (const copy of [rowless!, ofOther!]) copyFileSync(workspace.draftFile(draft.id), copy);
  for (const copy of [rowless!, ofOther!]) changeFact(copy, "transient", KILLED);
  changeFact(ofOther!, "catalog", "0123456789abcdef");
  await draft.addFiles(scratch);
  await draft.finalize({ autoUpload: true });
  copyFileSync(ofOther!, workspace.draftFile(draft.id));
  const next = await Dataset.create("p/d", { workspace });
  assert.deepEqual(
    [rowless!, ofOther!, workspace.draftFile(draft.id), workspace.draftFile(next.id)].map((file) =>
      existsSync(file),
    ),
    [false, true, false, true],
  );
  await next.discard();
});

/** As a process that is killed leaves it. */
async function cutOffDraft(workspace: Workspace, name: string, id?: VersionId): Promise<void> {
  const draft = await Dataset.create(name, { workspace, transient: true, ...(id && { id }) });
  draft.close();
  changeFact(workspace.draftFile(draft.id), "transient", KILLED);
}

function changeFact(file: string, name: string, value: unknown): void {
  const staging = Staging.open(file);
  staging.setFact(name, value);
  staging.close();
}

function draftsOf(workspace: Workspace): string[] {
  return readdirSync(workspace.home.draftsDir).filter((name) => name.endsWith(".db"));
}
