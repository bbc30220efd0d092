/** A writer of the soak: `node writer.js FOLDER SEED` changes files at random, and remembers what each must hold. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { KiB } from "../../src/units.js";
import { moved, obey, randomFrom } from "./client.js";

const MOST_FILES = 300;
const MOST_BYTES = 96 * KiB;

const [folder, seed] = process.argv.slice(2) as [string, string];
const random = randomFrom(Number(seed));
const own = join(folder, "own");
/** What every file must hold. */
const files = new Map<string, Buffer>();
let made = 0;

function step(): void {
  const kind = random();
  if (files.size < 20 || (kind < 0.35 && files.size < MOST_FILES)) create();
  else if (kind < 0.5) change();
  else if (kind < 0.6) rename();
  else if (kind < 0.7) remove();
  else check(oneOf());
}

function create(): void {
  const name = `f${made++}`;
  const bytes = noise(Math.floor(random() * MOST_BYTES));
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, name), bytes);
  files.set(name, bytes);
  moved(bytes.length);
}

/** Somewhere in the middle or beyond the end. */
function change(): void {
  const name = oneOf();
  const old = files.get(name)!;
  const [at, bytes] = [Math.floor(random() * (old.length + 1)), noise(Math.floor(random() * 8 * KiB))];
  const fd = openSync(join(own, name), "r+");
  writeSync(fd, bytes, 0, bytes.length, at);
  if (random() < 0.3) fsyncSync(fd);
  closeSync(fd);
  const now = Buffer.alloc(Math.min(MOST_BYTES * 2, Math.max(old.length, at + bytes.length)));
  old.copy(now);
  bytes.copy(now, at);
  files.set(name, now);
  moved(bytes.length);
}

function rename(): void {
  const [from, to] = [oneOf(), `r${made++}`];
  renameSync(join(own, from), join(own, to));
  files.set(to, files.get(from)!);
  files.delete(from);
}

function remove(): void {
  const name = oneOf();
  rmSync(join(own, name));
  files.delete(name);
}

function check(name: string): void {
  const bytes = readFileSync(join(own, name));
  moved(bytes.length);
  if (!bytes.equals(files.get(name)!)) throw new Error(`wrong bytes in ${name}`);
}

/** After a commit, and on the mount of the version that came of it, everything must be as it was left. */
function checkAll(): void {
  if (files.size === 0) return;
  const seen = readdirSync(own).sort().join();
  if (seen !== [...files.keys()].sort().join()) throw new Error(`other names than were written: ${seen}`);
  for (const name of files.keys()) check(name);
}

function oneOf(): string {
  return [...files.keys()][Math.floor(random() * files.size)]!;
}

function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let at = 0; at + 4 <= sizeBytes; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return bytes;
}

await obey(step, checkAll, 100);
