/** Temporary folders that go away with their test. */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Scope, atEnd } from "./cleanup.js";
import { detachBelow } from "./mounts.js";

/** A new empty folder, removed when the test ends; what is mounted below it is detached first, never walked into. */
export async function tempDir(scope: Scope): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "varve-test-")));
  atEnd(scope, async () => {
    detachBelow(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  });
  return path;
}
