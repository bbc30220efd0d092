/**
 * Reading from a bucket what was never read before: varve beside rclone, s3fs and restic on one S3 server, at once and
 * with 15 ms added to every request. Run after a build: `node dist/bench/cold.js [quick] [0ms|15ms] [WORD …]`, where
 * words select workloads or places by their names. As root it installs the peers from Debian. Works in a temporary
 * folder, about 8 GiB; all of it takes half an hour, most of which is the peers'.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Bucket, startBucket } from "./cold/bucket.js";
import { FULL, QUICK, makeFiles } from "./cold/files.js";
import { measure } from "./cold/measure.js";
import { bareSdk, varveOn } from "./cold/ours.js";
import { peersOn } from "./cold/peers.js";
import { type Place, localDisk } from "./cold/place.js";
import { render } from "./cold/report.js";
import { workloadsOf } from "./cold/workloads.js";

const DISTANCES_MS = [0, 15];

const words = process.argv.slice(2);
const amounts = words.includes("quick") ? QUICK : FULL;
const distances = DISTANCES_MS.filter((ms) => words.includes(`${ms}ms`) || !words.some(isDistance));
const wanted = words.filter((word) => word !== "quick" && !isDistance(word));

const work = mkdtempSync(join(tmpdir(), "varve-cold-"));
const [files, scratch] = [join(work, "files"), join(work, "scratch")];
const ends: (() => Promise<void>)[] = [];
const places: Place[] = [];
try {
  mkdirSync(scratch);
  makeFiles(files, amounts);
  const bucket = await startBucket({ after: (end) => void ends.push(end) });
  places.push(...(await placesOn(bucket)));
  for (const ms of distances) {
    await bucket.setLatency(ms);
    console.log(`\n${ms} ms a request`);
    await measureAll(bucket);
  }
} finally {
  for (const place of places) await place.unmount();
  for (const end of ends.reverse()) await end();
  rmSync(work, { recursive: true, maxRetries: 3 });
}

function isDistance(word: string): boolean {
  return /^\d+ms$/.test(word);
}

/** Places that no word names are left out where a word names one; so are workloads. */
async function placesOn(bucket: Bucket): Promise<Place[]> {
  const peers = await peersOn(bucket, work, files);
  const all = [localDisk(files), bareSdk(bucket, work), ...peers, varveOn(bucket, work, files)];
  return chosen(all, ({ name }) => name);
}

/** A table for each workload, as soon as it is measured: the peers' slowest take minutes. */
async function measureAll(bucket: Bucket): Promise<void> {
  const workloads = chosen(workloadsOf(amounts, files, scratch), ({ what }) => what);
  for (const workload of workloads)
    console.log(`\n${render(await measure(bucket, workload, places, amounts.rounds))}`);
}

function chosen<One>(all: readonly One[], nameOf: (one: One) => string): One[] {
  const named = all.filter((one) => wanted.some((word) => nameOf(one).includes(word)));
  return named.length > 0 ? named : [...all];
}
