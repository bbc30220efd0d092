/** A user with folders of their own, whose workspaces are opened in this process. */
import { join } from "node:path";

import { Workspace } from "../../../src/dataset/workspace.js";
import { type Home, homeOf } from "../../../src/home.js";
import { type Scope, atEnd } from "../../support/cleanup.js";
import { testCatalog } from "../../support/catalog-place.js";
import { tempDir } from "../../support/temp.js";

export interface TestUser {
  home: Home;
  /** An empty folder for local files, beside the home. */
  scratch: string;
  /** What was said to the user, in all workspaces. */
  notices: string[];
  /** A workspace as a new process has it: nothing opened, nothing remembered. Closed at the end of the test. */
  open: () => Workspace;
}

/** A user with an empty home. Users who are given the same remote meet there. */
export async function testUser(scope: Scope, remote?: string): Promise<TestUser> {
  const folder = await tempDir(scope);
  const ownHome = homeOf({ VARVE_HOME: join(folder, "home") });
  const catalogPath = (await testCatalog(scope)) ?? ownHome.catalogPath;
  const home = { ...ownHome, catalogPath, defaultRemote: remote ?? ownHome.defaultRemote };
  const notices: string[] = [];
  const open = () => {
    const workspace = new Workspace({ home, notice: (message) => void notices.push(message) });
    atEnd(scope, () => workspace.close());
    return workspace;
  };
  return { home, scratch: join(folder, "files"), notices, open };
}
