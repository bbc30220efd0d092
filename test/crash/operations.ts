/**
 * What is tried at every point: operations that make versions or fill the cache, each with what it begins with and what a
 * user does after it was cut off. To try another one, add it to the table.
 */
import {
  appendFileSync,
  closeSync,
  cpSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askMount } from "../../src/daemon/client.js";
import { readMountState } from "../../src/daemon/mount-state.js";
import { isAlive } from "../../src/daemon/process.js";
import { collect } from "../../src/dataset/collect/collect.js";
import { Dataset } from "../../src/dataset/dataset.js";
import { isDatasetError } from "../../src/errors.js";
import { abandonedOverlays } from "../../src/dataset/overlays.js";
import { recoverCommit, recoverMount } from "../../src/dataset/recover.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { type Home, homeOf } from "../../src/home.js";
import { MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { type Contents, describeFolder, describeVersion, writeFolder } from "../dataset/support/folders.js";
import { mountsBelow } from "../support/mounts.js";
import { killQuietly } from "../support/processes.js";

/** A user and the files at hand. */
export interface Stage {
  /** Holds all of it; always at the same place, since catalogs know paths. */
  folder: string;
  workspace: Workspace;
}

export interface Operation {
  /** Makes what it begins with in an empty folder, and in `wanted/` what its version shall hold. */
  prepare: (stage: Stage) => Promise<void>;
  /** Runs in a process of its own. */
  run: (stage: Stage) => Promise<void>;
  /** Below which folder it must succeed though a write fails. Default: nowhere. */
  shrugsOff?: string;
  /** Does what is left of it, or nothing: what a user does who was not told how it ended. Default: `run` once more. */
  finish?: (stage: Stage) => Promise<void>;
  /** The dataset whose latest version holds what is wanted then. Default `lab/data`. */
  dataset?: string;
  /** The process that is to fail or die, by a word of its command line, where it is another one that `run` starts. */
  program?: string;
}

export const DATASET = "lab/data";
const CACHE = "home/cache/";
const FLAT = "lab/flat";

const BASE: Contents = {
  "a.txt": "a",
  "sub/b.txt": "b ".repeat(3_000),
  "sub/c.bin": noise("c", 200_000),
  "sub/gone.txt": "gone",
};
/** Each a pack by itself, of two that are sent at once. */
const MORE: Contents = {
  "new/table.csv": "id,name\n1,one\n2,two\n",
  "new/d.bin": noise("d", 1_250_000),
  "new/e.bin": noise("e", 1_250_000),
};
/** Of a file that the cache keeps whole. */
const LARGE_BYTES = 17 * MiB;
const SENDING = { maxWorkers: 1, packBytes: 2 * MiB };

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "create of two parents": {
    dataset: "lab/merged",
    prepare: prepareTwo,
    run: async ({ workspace }) => {
      await merged(workspace);
    },
    finish: async ({ workspace }) => {
      const draft =
        (await Dataset.lastDraft({ workspace }).catch(unlessMissing)) ?? (await merged(workspace));
      await draft.finalize();
    },
  },
  upload: {
    prepare: prepareDraft,
    run: async ({ workspace }) => {
      const draft = await Dataset.lastDraft({ workspace });
      await draft.upload(SENDING);
    },
    finish: async ({ workspace }) => {
      const draft = await Dataset.lastDraft({ workspace });
      await draft.upload(SENDING);
      await draft.finalize();
    },
  },
  finalize: {
    prepare: async (stage) => {
      await prepareDraft(stage);
      const draft = await Dataset.lastDraft({ workspace: stage.workspace });
      await draft.upload(SENDING);
    },
    run: async ({ workspace }) => {
      const draft = await Dataset.lastDraft({ workspace });
      await draft.finalize();
    },
    finish: async ({ workspace }) => {
      const draft = await Dataset.lastDraft({ workspace }).catch(unlessMissing);
      await draft?.finalize();
    },
  },
  commit: {
    prepare: prepareOverlay,
    run: async ({ workspace }) => {
      for (const overlay of abandonedOverlays(workspace.home))
        await recoverCommit(workspace, overlay, SENDING);
    },
  },
  sync: {
    prepare: async (stage) => {
      await prepareBase(stage);
      change(join(stage.folder, "wanted"));
    },
    run: async ({ folder, workspace }) => {
      await syncVersion(join(folder, "wanted"), DATASET, { workspace, ...SENDING });
    },
  },
  squash: {
    dataset: FLAT,
    prepare: prepareTwo,
    run: squash,
    finish: async (stage) => {
      const made = await Dataset.get(FLAT, { workspace: stage.workspace }).catch(unlessMissing);
      if (!made) await squash(stage);
    },
  },
  import: {
    prepare: prepareBundle,
    run: async ({ folder, workspace }) => {
      await Dataset.importOfflineSession(join(folder, "bundle.zip"), { workspace, ...SENDING });
    },
  },
  "garbage collection": { prepare: prepareGarbage, run: collectTwice, finish: collectAfterDeath },
  unmount: { prepare: prepareEmptyMount, run: writeAndUnmount, finish: writeTheRest, program: "daemon.js" },
  "cache fill": { prepare: (stage) => prepareCold(stage, MORE), run: readAll, shrugsOff: CACHE },
  "cache fill, large": {
    prepare: (stage) => prepareCold(stage, { "large.bin": noise("large", LARGE_BYTES) }),
    run: readAll,
    shrugsOff: CACHE,
  },
};

export function homeIn(folder: string): Home {
  return homeOf({ VARVE_HOME: join(folder, "home") });
}

/** A stage as a new process has it. */
export function stageIn(folder: string, options: { offline?: boolean } = {}): Stage {
  const workspace = new Workspace({ home: homeIn(folder), notice: () => undefined, ...options });
  return { folder, workspace };
}

/** `lab/data@1.0.0`, and its files in `wanted`. */
async function prepareBase({ folder, workspace }: Stage, contents = BASE): Promise<void> {
  layOut(join(folder, "wanted"), contents);
  await syncVersion(join(folder, "wanted"), DATASET, { workspace });
}

/** Two datasets, and in `wanted` the files of both. */
async function prepareTwo({ folder, workspace }: Stage): Promise<void> {
  await prepareBase({ folder, workspace });
  const other = join(folder, "other");
  layOut(other, MORE);
  await syncVersion(other, "lab/other", { workspace });
  cpSync(other, join(folder, "wanted"), { recursive: true });
}

/** A child that keeps a tenth of what its parent, which is deleted, had in one pack. */
async function prepareGarbage(stage: Stage): Promise<void> {
  const many = Array.from({ length: 20 }, (_, i) => [`many/f${i}`, noise(`many ${i}`, 100_000)]);
  await prepareBase(stage, { ...BASE, ...(Object.fromEntries(many) as Contents) });
  const { folder, workspace } = stage;
  for (const path of many.slice(2).map(([path]) => path as string)) rmSync(join(folder, "wanted", path));
  await syncVersion(join(folder, "wanted"), DATASET, { workspace });
  await Dataset.delete({ name: DATASET, version: "1.0.0", workspace, force: true });
}

/** The first empties the pack, the second deletes it. */
async function collectTwice({ workspace }: Stage): Promise<void> {
  const opened = await workspace.defaultRemote();
  for (let time = 0; time < 2; time++) await collect(workspace, opened, { graceMs: 0, repack: true });
}

/** A collector that died is taken over soon; on a busy machine a short lease may lapse in between. */
async function collectAfterDeath(stage: Stage): Promise<void> {
  for (const seconds of [0.2, 1, 5]) {
    process.env["VARVE_LEASE_SECONDS"] = String(seconds);
    try {
      await collectTwice(stage);
      return;
    } catch (error) {
      if (!isDatasetError(error, "conflict")) throw error;
    }
  }
}

async function prepareDraft(stage: Stage): Promise<void> {
  await prepareBase(stage);
  const draft = await Dataset.create(DATASET, { parents: [DATASET], workspace: stage.workspace });
  await stageChange(draft, stage.folder);
}

/** A version made offline, as a bundle that was carried here. */
async function prepareBundle(stage: Stage): Promise<void> {
  await prepareBase(stage);
  // So that the cache has its tree, all of it once it is closed.
  await describeVersion(await Dataset.get(DATASET, { workspace: stage.workspace }));
  await stage.workspace.close();
  const { folder, workspace } = stageIn(stage.folder, { offline: true });
  const draft = await Dataset.create(DATASET, { parents: [DATASET], workspace });
  await stageChange(draft, folder);
  await draft.upload();
  const { bundle } = await draft.finalize();
  await workspace.close();
  cpSync(bundle!.zip, join(folder, "bundle.zip"));
  rmSync(workspace.home.offlineDir, { recursive: true });
}

/** What a killed mount leaves. */
async function prepareOverlay(stage: Stage): Promise<void> {
  await prepareBase(stage);
  const { folder, workspace } = stage;
  const at = join(folder, "mounted");
  mkdirSync(at);
  const dataset = await Dataset.get(DATASET, { workspace });
  await dataset.mount(at, { writable: true });
  change(at);
  rmSync(join(folder, "wanted"), { recursive: true });
  cpSync(at, join(folder, "wanted"), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  process.kill(readMountState(workspace.home, at)!.pid, "SIGKILL");
  while (mountsBelow(at).length > 0) await sleep(5);
}

async function prepareEmptyMount(stage: Stage): Promise<void> {
  await prepareBase(stage);
  layOut(join(stage.folder, "wanted"), MORE);
  mkdirSync(join(stage.folder, "mounted"));
  writeFileSync(join(stage.folder, "recorded"), "");
}

async function writeAndUnmount({ folder, workspace }: Stage): Promise<void> {
  const at = join(folder, "mounted");
  const dataset = await Dataset.get(DATASET, { workspace });
  await dataset.mount(at, { writable: true });
  mkdirSync(join(at, "new"));
  for (const [path, content] of Object.entries(MORE)) {
    writeSynced(join(at, path), content as string | Uint8Array);
    appendFileSync(join(folder, "recorded"), `${path}\n`);
  }
  await askMount(workspace.home, at, { operation: "unmount", arguments: {} });
}

/** What was recorded is there, whatever became of the mount; the rest is written now. */
async function writeTheRest({ folder, workspace }: Stage): Promise<void> {
  const at = join(folder, "mounted");
  await endMount(workspace.home, at);
  const [left] = abandonedOverlays(workspace.home);
  if (left) await recoverMount(workspace, left, at);
  else await (await Dataset.get(DATASET, { workspace })).mount(at, { writable: true });
  for (const path of readFileSync(join(folder, "recorded"), "utf8").split("\n").slice(0, -1))
    if (Buffer.compare(readFileSync(join(at, path)), Buffer.from(MORE[path] as string | Uint8Array)) !== 0)
      throw new Error(`${path} was recorded, and is not what it was`);
  layOut(at, MORE);
  await askMount(workspace.home, at, { operation: "unmount", arguments: {} });
}

/** As a user would, and then by force. */
async function endMount(home: Home, at: string): Promise<void> {
  const state = readMountState(home, at);
  if (!state) return;
  await askMount(home, at, { operation: "unmount", arguments: {} }).catch(() => undefined);
  killQuietly(state.pid);
  while (mountsBelow(at).length > 0 || isAlive(state)) await sleep(5);
}

function writeSynced(path: string, content: string | Uint8Array): void {
  const fd = openSync(path, "w");
  try {
    writeFileSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function prepareCold(stage: Stage, contents: Contents): Promise<void> {
  await prepareBase(stage, { ...BASE, ...contents });
  await stage.workspace.close();
  rmSync(stage.workspace.home.cacheDir, { recursive: true, force: true });
}

function merged(workspace: Workspace): Promise<Dataset> {
  return Dataset.create("lab/merged", { parents: [DATASET, "lab/other"], workspace });
}

async function squash({ folder, workspace }: Stage): Promise<void> {
  const references = [DATASET, "lab/other"];
  await Dataset.squash(FLAT, { references, remote: join(folder, "elsewhere"), workspace, ...SENDING });
}

async function readAll({ folder, workspace }: Stage): Promise<void> {
  const dataset = await Dataset.get(DATASET, { workspace });
  const found = await describeVersion(dataset);
  const wanted = describeFolder(join(folder, "wanted"));
  for (const path of Object.keys(wanted))
    if (found[path] !== wanted[path]) throw new Error(`${path} is ${found[path]}, not ${wanted[path]}`);
}

async function stageChange(draft: Dataset, folder: string): Promise<void> {
  const wanted = join(folder, "wanted");
  change(wanted);
  await draft.syncFolder(wanted);
}

/** Adds, changes, moves, removes. */
function change(root: string): void {
  layOut(root, MORE);
  writeFileSync(join(root, "a.txt"), "changed");
  renameSync(join(root, "sub/b.txt"), join(root, "new/b.txt"));
  rmSync(join(root, "sub/gone.txt"));
  symlinkSync("a.txt", join(root, "link"));
}

/** Always with the same times, so that the same is always written. */
function layOut(root: string, contents: Contents): void {
  writeFolder(root, contents);
  for (const path of Object.keys(contents)) utimesSync(join(root, path), 1_700_000_000, 1_700_000_000);
}

function unlessMissing(error: unknown): undefined {
  if (!isDatasetError(error, "not-found")) throw error;
}
