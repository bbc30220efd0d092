/** A user with a version made from a folder, to be copied. */
import { join } from "node:path";

import { Dataset } from "../../../src/dataset/dataset.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import type { Workspace } from "../../../src/dataset/workspace.js";
import type { Scope } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";
import { type Contents, writeFolder } from "../support/folders.js";
import { type TestUser, testUser } from "../support/workspaces.js";

export interface CopyUser {
  user: TestUser;
  workspace: Workspace;
  dataset: Dataset;
  /** What the version was made of. */
  source: string;
  /** A folder that is not there yet. */
  target: string;
}

/** @param change Run on the folder before the version is made. */
export async function copyUser(
  scope: Scope,
  contents: Contents,
  change: (source: string) => void = () => undefined,
): Promise<CopyUser> {
  const user = await testUser(scope);
  const source = user.scratch;
  writeFolder(source, contents);
  change(source);
  await syncVersion(source, "p/d", { workspace: user.open() });
  const workspace = user.open();
  const dataset = await Dataset.get("p/d", { workspace });
  return { user, workspace, dataset, source, target: join(await tempDir(scope), "copy") };
}
