/** Disks that are soon full. */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../../src/errors.js";
import { MiB } from "../../../src/units.js";
import { writeFolder } from "../../dataset/support/folders.js";
import type { Scope } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { DATASET, sh } from "./mounted.js";

const FILES = { "a.txt": "a", "sub/b.txt": "b" };

/** A small disk, in memory; it goes with its folder. */
export async function smallDisk(scope: Scope, sizeMiB: number): Promise<string> {
  const folder = await tempDir(scope);
  await sh('mount -t tmpfs -o "size=$2,mode=0700" none "$1"', folder, `${sizeMiB}m`);
  return folder;
}

/** What a user has, all but data and cache, lies on a small disk. `lab/data@1.0.0` holds `files`. */
export async function userOnSmallDisk(
  scope: Scope,
  sizeMiB: number,
): Promise<{ varve: Varve; disk: string; files: Readonly<Record<string, string>> }> {
  const elsewhere = await tempDir(scope);
  const disk = await smallDisk(scope, sizeMiB);
  const env = { VARVE_REMOTE: join(elsewhere, "remote"), VARVE_CACHE_DIR: join(elsewhere, "cache") };
  const source = join(elsewhere, "source");
  writeFolder(source, FILES);
  const varve = await varveUser(scope, env, disk);
  await varve.ok(["sync", source, DATASET]);
  return { varve, disk, files: FILES };
}

/** Takes all the room there is on a disk. */
export function fill(path: string): void {
  for (let bytes = MiB; bytes >= 1; bytes = Math.floor(bytes / 2))
    try {
      for (;;) appendFileSync(path, Buffer.alloc(bytes));
    } catch (error) {
      assert.equal(errnoOf(error), "ENOSPC");
    }
}
