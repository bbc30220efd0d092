/** A user with a version in a bucket and nothing of it in the cache; what is read of it is counted at the server. */
import { join } from "node:path";

import Database from "better-sqlite3";

import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { writeFolder } from "../../dataset/support/folders.js";
import type { Scope } from "../../support/cleanup.js";
import { type S3ServerProcess, s3Environment, s3ServerProcess } from "../../support/s3.js";
import { tempDir } from "../../support/temp.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { DATASET } from "./mounted.js";

export const REMOTE = "s3://bucket/data";
export const VERSION = `${DATASET}@1.0.0`;
/** Large enough to be kept as one file. */
export const LARGE_BYTES = 17 * MiB;

export interface BucketUser {
  server: S3ServerProcess;
  varve: Varve;
  /** What the version was made of: `small/0` to `small/199`, 10,000 bytes each, and `large/one`. */
  source: string;
}

export async function bucketUser(scope: Scope): Promise<BucketUser> {
  const server = await s3ServerProcess(scope);
  const varve = await userOf(scope, server);
  const source = await tempDir(scope);
  const small = Array.from(
    { length: 200 },
    (_, at) => [`small/${at}`, noise(`small ${at}`, 10_000)] as const,
  );
  writeFolder(source, { "large/one": noise("one", LARGE_BYTES), ...Object.fromEntries(small) });
  await varve.ok(["sync", source, DATASET]);
  await server.reset();
  return { server, varve, source };
}

/** Another user of the same bucket, on another machine as it were. */
export function userOf(scope: Scope, server: S3ServerProcess): Promise<Varve> {
  return varveUser(scope, { ...s3Environment(server), VARVE_REMOTE: REMOTE });
}

/** Mounts a version on a new folder. */
export async function mountedAt(
  scope: Scope,
  varve: Varve,
  reference: string,
  ...options: string[]
): Promise<string> {
  const path = await tempDir(scope);
  await varve.ok(["mount", reference, path, ...options]);
  return path;
}

/** Bytes of objects that were read since the last reset. */
export async function readBytes(server: S3ServerProcess): Promise<number> {
  return (await server.counts())["GetObject"]?.sentBytes ?? 0;
}

/** Bytes of all blocks that a user's cache has on disk; 0 while there is none. */
export function cachedBytes({ home }: Varve): number {
  try {
    const db = new Database(join(home, "cache/index.db"), { readonly: true });
    const sizes = "select size_bytes from block union all select size_bytes from part";
    const bytes = db.prepare<[], number>(`select total(size_bytes) from (${sizes})`).pluck().get()!;
    db.close();
    return bytes;
  } catch {
    return 0;
  }
}
