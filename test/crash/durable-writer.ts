/**
 * A thread that writes to a folder of a mount until a call fails, as it does when the mount's process is killed. Before
 * each change it says which path it is about to touch, and after the sync what is there for certain.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { noise } from "../content/noise.js";
import { randomFrom } from "../support/random.js";

export interface WriterData {
  folder: string;
  seed: number;
  /** Names of files that are there. */
  names: string[];
}

/** What a file holds: its SHA-256, or null where there is none. */
export type Content = string | null;

/** Of one file; or, at the end, the failure alone. */
export interface WriterMessage {
  name: string;
  failed?: string;
  /** What it may hold from now on, besides what it held; `true` is anything, while it is written in place. */
  doubt?: Content | true;
  /** What it holds, synced. */
  recorded?: Content;
}

const MOST_FILES = 40;
const LARGE_BYTES = 3_000_000;
const SMALL_BYTES = 60_000;

const { folder, seed, names } = workerData as WriterData;
const below = randomFrom(seed);
const live = new Set(names);
try {
  for (let step = 0; ; step++) change(`${seed}-${step}`);
} catch (error) {
  // The mount is gone, or goes.
  say({ name: "", failed: String(error) });
}

function change(fresh: string): void {
  const known = [...live][below(live.size)];
  const choice = below(live.size < MOST_FILES ? 10 : 4);
  if (known !== undefined && choice === 0) remove(known);
  else if (known !== undefined && choice === 1) rewrite(known);
  else if (known !== undefined && choice <= 3) replace(known);
  else create(fresh);
}

function create(name: string): void {
  const bytes = content();
  say({ name, doubt: true });
  writeSynced(name, bytes);
  live.add(name);
  say({ name, recorded: hashOf(bytes) });
}

/** In place. */
function rewrite(name: string): void {
  const bytes = content();
  say({ name, doubt: true });
  writeSynced(name, bytes);
  say({ name, recorded: hashOf(bytes) });
}

/** Aside, then renamed over it: it holds the one or the other, and never anything between. */
function replace(name: string): void {
  const bytes = content();
  writeSynced(`${name}.new`, bytes);
  say({ name, doubt: hashOf(bytes) });
  renameSync(join(folder, `${name}.new`), join(folder, name));
  say({ name, recorded: hashOf(bytes) });
}

function remove(name: string): void {
  say({ name, doubt: null });
  unlinkSync(join(folder, name));
  live.delete(name);
  say({ name, recorded: null });
}

function writeSynced(name: string, bytes: Uint8Array): void {
  const fd = openSync(join(folder, name), "w");
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    ftruncateSync(fd, bytes.length);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function content(): Uint8Array {
  return noise(String(below(2 ** 31)), below(20) === 0 ? below(LARGE_BYTES) : below(SMALL_BYTES));
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function say(message: WriterMessage): void {
  parentPort!.postMessage(message);
}
