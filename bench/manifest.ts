/**
 * What a tree of 1,000,000 entries costs: building, opening, look-up, listing, one edit, merge and diff, all in memory.
 * Run as `node --expose-gc dist/bench/manifest.js [entries]`; prints a line a figure. On a busy machine, only CPU time
 * says something; it counts the collector's threads too.
 */
import type { RemoteId, Sha256 } from "../src/content/chunk.js";
import { sha256 } from "../src/content/hash.js";
import { diffTrees } from "../src/manifest/diff.js";
import { type EditedTree, editTree } from "../src/manifest/edit.js";
import { type Edit, type Entry, EntryType } from "../src/manifest/entry.js";
import { mergeEdits } from "../src/manifest/merge.js";
import { type EncodedRange, type Range, openRange } from "../src/manifest/range.js";
import { type RangeRef, encodeRoot, openRoot } from "../src/manifest/root.js";
import { Tree } from "../src/manifest/tree.js";
import { type TreePath, ROOT } from "../src/paths.js";
import { KiB, MiB } from "../src/units.js";

const ENTRY_COUNT = Number(process.argv[2] ?? 1_000_000);
const FILES_PER_DIRECTORY = 1_000;
const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;

const objects = new Map<Sha256, Uint8Array>();
let opened = 0;

function open(ref: RangeRef): Range {
  opened += 1;
  return openRange(objects.get(ref.object)!, ref.remote);
}

const options = {
  load: async (ref: RangeRef) => open(ref),
  put: async (range: EncodedRange) => void objects.set(range.object, range.bytes),
  remote: REMOTE,
};

function directory(path: string): Entry {
  const [mtimeSec, mtimeNsec] = [1_700_000_000, 123_456_789];
  return {
    path: path as TreePath,
    type: EntryType.directory,
    mode: 0o755,
    mtimeSec,
    mtimeNsec,
    uid: 1000,
    gid: 1000,
  };
}

/** Written out: objects made by spreading others are slow, and it is not they that are to be measured. */
function file(path: string, number: number, seed = "", mtimeNsec = 123_456_789): Entry {
  const hash = sha256(Buffer.from(`${seed}${number}`));
  const sizeBytes = 20 * KiB + (number % 1000);
  const pack = packs[number >> 11]!;
  return {
    path: path as TreePath,
    type: EntryType.file,
    mode: 0o644,
    mtimeSec: 1_700_000_000,
    mtimeNsec,
    uid: 1000,
    gid: 1000,
    sizeBytes,
    sha256: hash,
    chunks: [
      { hash, sizeBytes, remote: REMOTE, pack, offset: number * 64, storedBytes: sizeBytes, codec: 0 },
    ],
  };
}

const packs = Array.from({ length: (ENTRY_COUNT >> 11) + 1 }, (_, i) => sha256(Buffer.from(`pack ${i}`)));

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}

/** Files in the order of their keys, 1,000 to a directory. */
function* entries(): Generator<Entry> {
  const directories = ENTRY_COUNT / FILES_PER_DIRECTORY;
  yield directory("");
  yield directory("train");
  for (let d = 0; d < directories; d++) yield directory(`train/class_${pad(d, 5)}`);
  for (let i = 0; i < ENTRY_COUNT; i++) yield file(nthPath(i), i);
}

function nthPath(i: number): TreePath {
  return `train/class_${pad(Math.floor(i / FILES_PER_DIRECTORY), 5)}/img_${pad(i, 8)}.jpeg` as TreePath;
}

async function timed<T>(what: string, work: () => T | Promise<T>, count = 0): Promise<T> {
  opened = 0;
  globalThis.gc?.();
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(cpuStart);
  const [ms, cpuMs] = [performance.now() - start, (user + system) / 1000];
  const each = count > 0 ? `, ${((cpuMs * 1000) / count).toFixed(2)} µs each` : "";
  console.log(`${what}: ${ms.toFixed(1)} ms (${cpuMs.toFixed(1)} ms of CPU${each}), ${opened} ranges opened`);
  return result;
}

function treeOf(edited: EditedTree): Tree {
  const cache = new Map<Sha256, Range>();
  const load = (ref: RangeRef) => {
    const range = cache.get(ref.object) ?? open(ref);
    cache.set(ref.object, range);
    return range;
  };
  return new Tree(openRoot(encodeRoot({ ranges: edited.ranges, segments: [], remote: REMOTE })), load);
}

const list = [...entries()];
const edited = await timed(
  `build of ${list.length} entries (made before)`,
  () => editTree(undefined, list, options),
  list.length,
);
const rangeBytes = edited.ranges.reduce((sum, { objectBytes }) => sum + objectBytes, 0);
console.log(`${edited.ranges.length} ranges, ${(rangeBytes / list.length).toFixed(1)} bytes an entry`);
const rootBytes = encodeRoot({ ranges: edited.ranges, segments: [], remote: REMOTE });
console.log(`root: ${(rootBytes.length / MiB).toFixed(2)} MiB`);
await timed("openRoot", () => openRoot(rootBytes));
await timed("openRange of all", () => edited.ranges.map(open), edited.ranges.length);
await timed("openRange of all, again", () => edited.ranges.map(open), edited.ranges.length);

const tree = treeOf(edited);
const tries = Array.from({ length: 100_000 }, (_, i) => nthPath((i * 7_919_317) % ENTRY_COUNT));
await timed(
  "look-up of 100,000 at random, ranges cold",
  () => tries.forEach((path) => tree.find(path)),
  tries.length,
);
await timed(
  "look-up of 100,000 at random, ranges open",
  () => tries.forEach((path) => tree.find(path)),
  tries.length,
);

function listAll(path: TreePath): number {
  const { start, end } = tree.children(path);
  let listed = end - start;
  const below: TreePath[] = [];
  for (let ordinal = start; ordinal < end; ordinal++) {
    tree.size(ordinal);
    if (tree.type(ordinal) === EntryType.directory) below.push(tree.path(ordinal));
    else tree.name(ordinal);
  }
  for (const directory of below) listed += listAll(directory);
  return listed;
}

function countEntries(): number {
  let count = 0;
  for (let ordinal = 0; ordinal < tree.entryCount; ordinal++)
    count += tree.entry(ordinal).path === "" ? 0 : 1;
  return count;
}

globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed;
await timed("listing of all: name, type, size", () => listAll(ROOT), list.length);
console.log(
  `heap grew by ${((process.memoryUsage().heapUsed - heapBefore) / MiB).toFixed(1)} MiB, garbage included`,
);
await timed("all entries as objects", () => countEntries(), list.length);

const middle = nthPath(ENTRY_COUNT >> 1);
const one = await timed("edit of one", () => editTree(tree, [file(middle, 1, "new")], options));
console.log(`  put ${one.putRanges} ranges, ${one.putBytes} bytes`);
await timed("diff after one edit", () => countOf(diffTrees(tree, treeOf(one), options.load)));

const every: Edit[] = [];
for (let i = 0; i < ENTRY_COUNT; i += 100) every.push(file(nthPath(i), i, "new"));
const spread = await timed(`edit of every 100th`, () => editTree(tree, every, options), every.length);
await timed("diff after it", () => countOf(diffTrees(tree, treeOf(spread), options.load)));
await timed("merge edits of it", () => countOf(mergeEdits(tree, treeOf(spread), options.load)));
const touched = Array.from({ length: ENTRY_COUNT }, (_, i) => file(nthPath(i), i, "", 1));
const changed = await timed("edit of all", () => editTree(tree, touched, options), list.length);
await timed("diff after it", () => countOf(diffTrees(tree, treeOf(changed), options.load)), list.length);
await timed("merge edits of it", () => countOf(mergeEdits(tree, treeOf(changed), options.load)), list.length);
const removals = list.slice(2).map(({ path }): Edit => ({ path, type: 0 }));
await timed("removal of all", () => editTree(tree, removals, options), list.length);

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  const iterator = items[Symbol.asyncIterator]();
  let count = 0;
  while (!(await iterator.next()).done) count += 1;
  return count;
}
