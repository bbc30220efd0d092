/**
 * One of many that work on one remote while it is collected: makes versions of files that it has made before or not, by sync
 * and by mounts, reads some, deletes some, and tells a line of JSON for each. Ends at end of input, after what is under way.
 *
 *   node race-committer.js '{"remote": …, "folder": …, "seed": …}'
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { askMount } from "../../../src/daemon/client.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { Workspace } from "../../../src/dataset/workspace.js";
import { isDatasetError } from "../../../src/errors.js";
import { homeOf } from "../../../src/home.js";
import { EntryType } from "../../../src/manifest/entry.js";
import { randomFrom } from "../../support/random.js";

/** What one is told. */
export interface CommitterOptions {
  remote: string;
  folder: string;
  seed: number;
  /** One that all share. Default: its own. */
  catalog?: string | undefined;
  /** Whether it mounts too. */
  mounts: boolean;
}

const DATASETS = 4;
const CONTENTS = 40;
const { remote, folder, seed, catalog, mounts } = JSON.parse(process.argv[2]!) as CommitterOptions;
const next = randomFrom(seed);
const [files, mountpoint] = [join(folder, "files"), join(folder, "mount")];
const ownHome = homeOf({ VARVE_HOME: join(folder, "home") });
const home = { ...ownHome, defaultRemote: remote, catalogPath: catalog ?? ownHome.catalogPath };
const workspace = new Workspace({ home, notice: () => {} });
let isEnding = false;
process.stdin.on("end", () => (isEnding = true)).resume();

while (!isEnding) await step();
await workspace.close();

async function step(): Promise<void> {
  const name = `race/d${next(DATASETS)}`;
  const started = performance.now();
  try {
    const die = next(20);
    if (die < 4) await deleteOne(name);
    else if (die < 8) await readOne(name);
    else if (die < 10 && mounts) await mountOne(name);
    else await commit(name);
  } catch (error) {
    if (!isDatasetError(error)) throw error;
    tell({ failed: error.code, message: error.message, ms: Math.round(performance.now() - started) });
  }
}

/** Few contents and few names: much of what is sent was sent before, and deleted since. */
async function commit(dataset: string): Promise<void> {
  rmSync(files, { recursive: true, force: true });
  mkdirSync(files, { recursive: true });
  writeSome(files, 6);
  const { committed } = await syncVersion(files, dataset, { workspace });
  if (committed) tell({ committed: committed.id, contentDigest: committed.contentDigest });
}

function writeSome(directory: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const content = next(CONTENTS);
    writeFileSync(join(directory, `f${next(12)}`), contentOf(content));
  }
}

function contentOf(number: number): string {
  return `content ${number} of the race `.repeat(100 + 50 * number);
}

/** A mount, some changes, and the child that unmounting makes. */
async function mountOne(dataset: string): Promise<void> {
  const found = await Dataset.get(dataset, { workspace });
  mkdirSync(mountpoint, { recursive: true });
  await found.mount(mountpoint, { writable: true });
  writeSome(mountpoint, 2);
  const answer = await askMount(home, mountpoint, { operation: "unmount", arguments: {} });
  const { committed } = answer as { committed: { id: string; contentDigest: string } | null };
  if (committed) tell({ committed: committed.id, contentDigest: committed.contentDigest });
}

/** Every byte of a version: one of the contents, unless the version was deleted meanwhile. */
async function readOne(dataset: string): Promise<void> {
  const version = await Dataset.get(dataset, { workspace });
  try {
    for await (const entry of version.listFiles()) {
      if (entry.type !== EntryType.file) continue;
      const parts: Uint8Array[] = [];
      for await (const bytes of version.readFile(entry)) parts.push(bytes);
      const text = Buffer.concat(parts).toString();
      const number = Number(/^content (\d+) /.exec(text)?.[1]);
      if (text !== contentOf(number)) tell({ wrong: `${version.id} ${entry.path}` });
    }
    tell({ read: version.id });
  } catch (error) {
    if (!isDatasetError(error, "object-missing")) throw error;
    tell({ unread: version.id, message: error.message });
  }
}

async function deleteOne(dataset: string): Promise<void> {
  const versions = await Dataset.listVersions({
    project: "race",
    name: dataset.slice("race/".length),
    workspace,
  });
  const victim = versions[next(Math.max(1, versions.length))];
  if (!victim) return;
  await Dataset.delete({ name: dataset, version: victim.version, workspace, force: true });
  tell({ deleted: victim.id });
}

function tell(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
