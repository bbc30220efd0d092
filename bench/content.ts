/**
 * What storing content costs: many small files, one large file, and a large file of which a little has changed.
 * Run after a build: `node dist/bench/content.js [small] [large]`; works in a temporary folder, about 3 GiB.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Chunk, RemoteId, Sha256 } from "../src/content/chunk.js";
import { type StoredContent, hashFiles, storeContent } from "../src/content/store.js";
import { bytesOfText } from "../src/paths.js";
import { fileRemote } from "../src/remote/file/file.js";
import { GiB, MiB } from "../src/units.js";

const SMALL_FILES = 100_000;
const SMALL_BYTES = 512;
const FILES_A_FOLDER = 1_000;
const REMOTE_ID = "0".repeat(32) as RemoteId;

interface Planned {
  path: string;
  sizeBytes: number;
}

const folder = mkdtempSync(join(tmpdir(), "varve-bench-"));
const wanted = process.argv.slice(2);
try {
  if (wanted.length === 0 || wanted.includes("small")) await benchSmall();
  if (wanted.length === 0 || wanted.includes("large")) await benchLarge();
} finally {
  await rm(folder, { recursive: true });
}

async function benchSmall(): Promise<void> {
  const files = smallFiles(join(folder, "small"));
  await timed(`hash ${SMALL_FILES} x ${SMALL_BYTES} B`, () => hashAll(files));
  await timed(`store ${SMALL_FILES} x ${SMALL_BYTES} B`, () => store("small-remote", files));
}

async function benchLarge(): Promise<void> {
  const path = join(folder, "large");
  writeLarge(path);
  const first = await timed("store 1 GiB", () => store("large-remote", [{ path, sizeBytes: GiB }]));
  changeMiddle(path);
  const known = new Map(first.flatMap(({ chunks }) => chunks).map((chunk) => [chunk.hash, chunk]));
  await timed("store it again, 1 MiB changed", () =>
    store("large-remote", [{ path, sizeBytes: GiB }], known),
  );
}

function smallFiles(root: string): Planned[] {
  return Array.from({ length: SMALL_FILES }, (_, index) => {
    const parent = join(root, String(Math.floor(index / FILES_A_FOLDER)));
    if (index % FILES_A_FOLDER === 0) mkdirSync(parent, { recursive: true });
    const path = join(parent, String(index));
    writeFileSync(path, randomBytes(SMALL_BYTES));
    return { path, sizeBytes: SMALL_BYTES };
  });
}

function writeLarge(path: string): void {
  const fd = openSync(path, "w");
  for (let at = 0; at < GiB; at += 16 * MiB) writeSync(fd, randomBytes(16 * MiB));
  closeSync(fd);
}

function changeMiddle(path: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, randomBytes(1 * MiB), 0, 1 * MiB, GiB / 2);
  closeSync(fd);
}

async function hashAll(files: Planned[]): Promise<void> {
  const sources = files.map(({ path, sizeBytes }) => ({ id: path, sizeBytes, path: bytesOfText(path) }));
  let count = 0;
  for await (const { sizeBytes } of hashFiles(sources)) count += sizeBytes > 0 ? 1 : 0;
  console.log(`  ${count} files hashed`);
}

async function store(
  remoteName: string,
  files: Planned[],
  known: ReadonlyMap<Sha256, Chunk> = new Map(),
): Promise<StoredContent<string>[]> {
  const sources = files.map(({ path, sizeBytes }) => ({
    id: path,
    sizeBytes,
    from: { path: bytesOfText(path) },
  }));
  const stored: StoredContent<string>[] = [];
  let sentBytes = 0;
  const options = {
    remote: fileRemote(join(folder, remoteName)),
    remoteId: REMOTE_ID,
    known: async (hashes: Sha256[]) => new Map(hashes.flatMap((hash) => knownPair(known, hash))),
    onProgress: (progress: { sentBytes: number }) => void (sentBytes = progress.sentBytes),
  };
  for await (const content of storeContent(sources, options)) stored.push(content);
  console.log(`  ${stored.length} files stored, ${(sentBytes / MiB).toFixed(2)} MiB sent`);
  return stored;
}

function knownPair(known: ReadonlyMap<Sha256, Chunk>, hash: Sha256): [Sha256, Chunk][] {
  const chunk = known.get(hash);
  return chunk ? [[hash, chunk]] : [];
}

async function timed<Value>(what: string, run: () => Promise<Value>): Promise<Value> {
  const start = performance.now();
  const startCpu = process.cpuUsage();
  const value = await run();
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  const { user, system } = process.cpuUsage(startCpu);
  const cpuSeconds = ((user + system) / 1_000_000).toFixed(2);
  const rss = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  console.log(`${what}: ${seconds} s, ${cpuSeconds} s of CPU, largest resident set so far ${rss} MiB`);
  return value;
}
