/** Varve in the bucket, and the least that reads from it with the same SDK. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readMountState } from "../../src/daemon/mount-state.js";
import { homeOf } from "../../src/home.js";
import type { Bucket } from "./bucket.js";
import { LARGE } from "./files.js";
import type { Place } from "./place.js";

const CLI = fileURLToPath(new URL("../../varve/cli.js", import.meta.url));
const BARE_SDK = fileURLToPath(new URL("bare-sdk.js", import.meta.url));
const DATASET = "bench/cold";

/** Makes a version of the files in the bucket; gives the place that mounts it. @param options Of `varve mount`. */
export function varveOn(bucket: Bucket, work: string, files: string, ...options: string[]): Place {
  const home = join(work, "home");
  const path = join(work, "varve");
  mkdirSync(path);
  const env = { ...process.env, ...bucket.environment, VARVE_HOME: home, VARVE_REMOTE: "s3://bucket/varve" };
  const varve = (...args: string[]) =>
    execFileSync(process.execPath, [CLI, "--quiet", ...args], {
      env,
      stdio: ["ignore", "ignore", "inherit"],
    });
  varve("sync", files, DATASET);
  const place: Place = {
    name: "varve",
    path,
    caches: [join(home, "cache")],
    pid: 0,
    async mount() {
      varve("mount", ...options, DATASET, path);
      place.pid = readMountState(homeOf({ VARVE_HOME: home }), path)!.pid;
    },
    async unmount() {
      if (place.pid > 0) varve("unmount", path);
      place.pid = 0;
    },
  };
  return place;
}

/** Reads the large object with the SDK and hashes it, in a process of its own; needs the bucket with the files. */
export function bareSdk(bucket: Bucket, work: string, ...how: "unhashed"[]): Place {
  const nothing = async () => undefined;
  const env = { ...process.env, ...bucket.environment };
  const args = [BARE_SDK, "files", LARGE, ...how];
  const readLarge = async () => Number(execFileSync(process.execPath, args, { env, encoding: "utf8" }));
  return { name: "bare SDK", path: work, caches: [], pid: 0, mount: nothing, unmount: nothing, readLarge };
}
