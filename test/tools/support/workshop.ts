/**
 * A place where a tool works on a writable mount: with files of a version below it, a folder of the local disk beside
 * it, and at the end the version that unmounting made, mounted to be read.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { type Described, describeFolder } from "../../dataset/support/folders.js";
import { DATASET, MOUNTED, labelsOf, mountWritable } from "../../end-to-end/support/mounted.js";
import { tempDir } from "../../support/temp.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { shell } from "./shell.js";
import { type Tool, requireTools } from "./tools.js";

export interface Workshop {
  /** The writable mount's folder. */
  at: string;
  /** A folder of the local disk. */
  scratch: string;
  /** Runs lines of shell in the mount, with `$LOCAL` the local folder; what they printed. Fails with all they said. */
  sh: (lines: string) => Promise<string>;
  /**
   * Unmounts, mounts the version that made, and compares it with what was in the mount: every path, its type, bytes,
   * mode, owner, time to the nanosecond, attributes and hard links. Gives the folder of the read-only mount.
   */
  committed: () => Promise<string>;
}

export interface ToolTestOptions {
  needs: readonly Tool[];
  /** Lines of shell that make the files of the version below the mount. */
  base: string;
}

/** A test of a tool on a writable mount. It fails, and names the package, where the tool is not installed. */
export function toolTest(
  sentence: string,
  { needs, base }: ToolTestOptions,
  body: (workshop: Workshop) => Promise<void>,
): void {
  test(sentence, MOUNTED, async (t) => {
    requireTools(needs);
    await body(await openWorkshop(t, base));
  });
}

/** @param base Lines of shell that make the files of the version below the mount. */
export async function openWorkshop(t: TestContext, base: string): Promise<Workshop> {
  const varve = await varveUser(t);
  const [scratch, source] = [await tempDir(t), await tempDir(t)];
  await shell(base, { cwd: source, scratch });
  await varve.ok(["sync", source, DATASET]);
  const { path: at } = await mountWritable(t, varve);
  return {
    at,
    scratch,
    sh: (lines) => shell(lines, { cwd: at, scratch }),
    committed: () => committed(t, varve, at),
  };
}

async function committed(t: TestContext, varve: Varve, at: string): Promise<string> {
  const wanted = await everythingIn(at);
  await varve.ok(["unmount", at]);
  assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1"]);
  const path = await tempDir(t);
  await varve.ok(["mount", "--preserve-owner", DATASET, path]);
  assert.deepEqual(await everythingIn(path), wanted);
  return path;
}

async function everythingIn(root: string): Promise<{ entries: Described; owners: string[] }> {
  const owners = await shell("find . -mindepth 1 -printf '%P %U:%G\\n' | sort", { cwd: root, scratch: root });
  return { entries: describeFolder(root), owners: owners.split("\n") };
}
