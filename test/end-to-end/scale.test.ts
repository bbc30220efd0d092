/** Large versions cost what is done with them: made without their files, mounted by the built command line. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { copyFile, opendir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type TestContext, before, test } from "node:test";

import { contentOfFile, makeLargeVersion, pathOfFile } from "../../bench/support/large-version.js";
import { readMountState } from "../../src/daemon/mount-state.js";
import { MiB } from "../../src/units.js";
import { testUser } from "../dataset/support/workspaces.js";
import { CAN_MOUNT } from "../fs/support/mounted.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";

const OPTIONS = { skip: !CAN_MOUNT, timeout: 300_000 };
const COUNTED = new URL("../../bench/support/counted-remote.js", import.meta.url).href;
/** In one folder: some 50 ranges, 10 MB of manifest. */
const FILES = 100_000;
const FOLDER = "folder-00000";
const DATASET = "p/large";

let remote: string;

before(async (t) => {
  remote = await tempDir(t as TestContext);
  const { open } = await testUser(t as TestContext, remote);
  await makeLargeVersion(open(), { dataset: DATASET, files: FILES, filesInFolder: FILES });
});

/** A user with an empty cache, and what was asked of the remote since `requests` was called last. */
async function user(t: TestContext): Promise<{ varve: Varve; at: string; requests: () => Request[] }> {
  const folder = await tempDir(t);
  const [at, log] = [join(folder, "mnt"), join(folder, "log")];
  mkdirSync(at);
  const env = {
    NODE_OPTIONS: `--import=${COUNTED}`,
    BENCH_LOG: log,
    VARVE_REMOTE: `counted://${remote}`,
  };
  const requests = () => {
    const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : [];
    rmSync(log, { force: true });
    return lines.map((line) => requestOf(line.split(" ") as [string, string, string]));
  };
  return { varve: await varveUser(t, env), at, requests };
}

interface Request {
  /** `read ranges`, `put packs` and the like. */
  what: string;
  bytes: number;
}

function requestOf([verb, key, bytes]: [string, string, string]): Request {
  return { what: `${verb} ${key.split("/")[0]}`, bytes: Number(bytes) };
}

function countOf(requests: readonly Request[], wanted: string): number {
  return requests.filter(({ what }) => what === wanted).length;
}

function bytesOf(requests: readonly Request[], verb: string): number {
  return requests.reduce((sum, { what, bytes }) => sum + (what.startsWith(verb) ? bytes : 0), 0);
}

test(
  "one file more, and a copy of one, in a version of 100,000 read and write the ranges they touch",
  OPTIONS,
  async (t) => {
    const { varve, at, requests } = await user(t);
    await varve.ok(["mount", "-w", `${DATASET}@1.0.0`, at]);
    await writeFile(join(at, FOLDER, "new"), "new content");
    await copyFile(join(at, pathOfFile(67_890, FILES)), join(at, "copy"));
    const answer = (await varve.ok(["unmount", at, "--json"])).json();
    const { version, added, contentBytesSent } = (answer as { committed: Committed }).committed;
    assert.deepEqual({ added, contentBytesSent }, { added: 2, contentBytesSent: "new content".length });
    const committing = requests();
    t.diagnostic(`${bytesOf(committing, "read")} bytes read, ${bytesOf(committing, "put")} sent`);
    assert.ok(countOf(committing, "read ranges") <= 4, `${countOf(committing, "read ranges")} ranges read`);
    assert.ok(countOf(committing, "put ranges") <= 3, `${countOf(committing, "put ranges")} ranges written`);
    assert.ok(bytesOf(committing, "read") < 2 * MiB);
    assert.ok(bytesOf(committing, "put") < 2 * MiB);

    const other = await user(t);
    const diff = await other.varve.ok(["diff", `${DATASET}@1.0.0`, `${DATASET}@${version}`, "--json"]);
    assert.deepEqual((diff.json() as { added: string[] }).added, ["copy", `${FOLDER}/new`]);
    assert.ok(countOf(other.requests(), "read ranges") <= 6, "a diff reads ranges that differ");
  },
);

interface Committed {
  version: string;
  added: number;
  contentBytesSent: number;
}

test("a folder of 100,000 lists completely while files are made and removed in it", OPTIONS, async (t) => {
  const { varve, at } = await user(t);
  await varve.ok(["mount", "-w", `${DATASET}@1.0.0`, at]);
  const folder = join(at, FOLDER);
  const listed = new Map<string, number>();
  const [made, removed] = [new Set<string>(), new Set<string>()];
  let seen = 0;
  for await (const { name } of await opendir(folder, { bufferSize: 1_000 })) {
    listed.set(name, (listed.get(name) ?? 0) + 1);
    if (seen++ % 2_000 !== 0) continue;
    await writeFile(join(folder, `new-${seen}`), "");
    made.add(`new-${seen}`);
    for (const number of [seen >> 1, FILES - 1 - (seen >> 2)]) {
      const path = pathOfFile(number, FILES);
      removed.add(basename(path));
      await rm(join(at, path));
    }
  }
  assert.deepEqual(
    [...listed].filter(([, count]) => count > 1),
    [],
  );
  const kept = Array.from({ length: FILES }, (_, number) => basename(pathOfFile(number, FILES)));
  assert.deepEqual(
    kept.filter((name) => !removed.has(name) && !listed.has(name)),
    [],
  );

  const expected = [...kept.filter((name) => !removed.has(name)), ...made];
  assert.deepEqual((await readdir(folder)).sort(), expected.sort());
  await varve.ok(["unmount", at, "--discard"]);
});

test(
  "listing 100,000 files takes few requests, and memory that does not grow with what is listed",
  OPTIONS,
  async (t) => {
    const { varve, at, requests } = await user(t);
    await varve.ok(["mount", `${DATASET}@1.0.0`, at]);
    const { pid } = readMountState(varve.places, at)!;
    const before = memoryBytesOf(pid);
    requests();
    assert.equal((await readdir(join(at, FOLDER), { withFileTypes: true })).length, FILES);
    const reads = requests();
    assert.ok(bytesOf(reads, "read ranges") < 13 * MiB, "no range is read twice");
    const grown = memoryBytesOf(pid) - before;
    t.diagnostic(`memory grew by ${(grown / MiB).toFixed(0)} MiB, ${reads.length} requests`);
    // Its ranges lie in memory once (10 MB), and their bytes on the way (fetched, handed over, to disk) until collected.
    assert.ok(grown < 120 * MiB);
    assert.equal(
      Buffer.compare(readFileSync(join(at, pathOfFile(FILES - 1, FILES))), contentOfFile(FILES - 1)),
      0,
    );
    await varve.ok(["unmount", at]);
  },
);

function memoryBytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
