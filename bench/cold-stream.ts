/**
 * One large file read from a bucket from its beginning to its end, 15 ms a request: varve beside the bare SDK and its peers,
 * and what each part of the work takes by itself: the network, SHA-256, writing to the cache, the way through the kernel.
 * Run after a build, as root: `node dist/bench/cold-stream.js [MiB]`, default 1024; needs five times that on disk.
 */
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { REQUEST_BYTES } from "../src/cache/requests.js";
import { MiB } from "../src/units.js";
import { type Bucket, startBucket } from "./cold/bucket.js";
import { LARGE } from "./cold/files.js";
import { measure } from "./cold/measure.js";
import { bareSdk, varveOn } from "./cold/ours.js";
import { peersOn } from "./cold/peers.js";
import { type Place, makeCold, makeWarm } from "./cold/place.js";
import { render } from "./cold/report.js";
import { large } from "./cold/workloads.js";
import { makeLarge } from "./filesystem/files.js";
import { median } from "./support/figures.js";

const LATENCY_MS = 15;
const ROUNDS = 3;

const largeBytes = Number(process.argv[2] ?? 1024) * MiB;
const work = mkdtempSync(join(tmpdir(), "varve-stream-"));
const files = join(work, "files");
const ends: (() => Promise<void>)[] = [];
const places: Place[] = [];
try {
  mkdirSync(files);
  makeLarge(join(files, LARGE), largeBytes);
  const bucket = await startBucket({ after: (end) => void ends.push(end) });
  const peers = await peersOn(bucket, work, files);
  const varve = varveOn(bucket, work, files, "--no-passthrough");
  places.push(bareSdk(bucket, work), ...peers, varve);
  await bucket.setLatency(LATENCY_MS);
  console.log(render(await measure(bucket, large({ largeBytes }), places, ROUNDS)));
  await printParts(bucket, varve);
} finally {
  for (const place of places) await place.unmount();
  for (const end of ends.reverse()) await end();
  rmSync(work, { recursive: true, maxRetries: 3 });
}

/** Each alone, so they do not add up: in a mount they overlap, on two threads and on the server. */
async function printParts(bucket: Bucket, varve: Place): Promise<void> {
  const unhashed = bareSdk(bucket, work, "unhashed");
  const parts = {
    network: await medianOf(() => unhashed.readLarge!()),
    "SHA-256": await medianOf(async () => timed(hashAll)),
    "cache write": await medianOf(async () => timed(writeAll)),
    kernel: await kernelSeconds(varve),
  };
  for (const [part, seconds] of Object.entries(parts)) console.log(`${part} alone: ${seconds.toFixed(2)} s`);
}

async function medianOf(run: () => Promise<number>): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) seconds.push(await run());
  return median(seconds);
}

function timed(run: () => void): number {
  const started = performance.now();
  run();
  return (performance.now() - started) / 1000;
}

function hashAll(): void {
  const piece = Buffer.alloc(1 * MiB, 1);
  for (let at = 0; at < largeBytes; at += piece.length) createHash("sha256").update(piece).digest();
}

function writeAll(): void {
  const piece = Buffer.alloc(REQUEST_BYTES, 1);
  const path = join(work, "written");
  const fd = openSync(path, "w");
  for (let at = 0; at < largeBytes; at += piece.length) writeSync(fd, piece);
  closeSync(fd);
  rmSync(path);
}

/** By the next mount over a cache that has all of it, its pages in memory. */
async function kernelSeconds(varve: Place): Promise<number> {
  const { run } = large({ largeBytes });
  await makeCold(varve);
  await varve.mount();
  await run(varve);
  await makeWarm(varve);
  await varve.mount();
  await run(varve);
  await varve.unmount();
  await varve.mount();
  return timed(() => void run(varve));
}
