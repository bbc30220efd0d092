/**
 * A dataset of many small files from beginning to end through the SDK, in one process: added, uploaded, finalized, one file
 * more in a child, restored with an empty cache and with a full one. Run after a build:
 * `node dist/bench/many-files.js [FILES]`, default 100,000 of 512 bytes; works in a temporary folder, the remote beside it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { renderTable } from "../src/cli/table.js";
import { Dataset } from "../src/dataset/dataset.js";
import { Workspace } from "../src/dataset/workspace.js";
import { type Home, homeOf } from "../src/home.js";
import { KiB } from "../src/units.js";
import { makeFlat } from "./filesystem/files.js";

const DATASET = "bench/many";
const FILE_BYTES = 512;
const FILES_IN_FOLDER = 1_000;

const files = Number(process.argv[2] ?? 100_000);
const work = mkdtempSync(join(tmpdir(), "varve-many-"));
const source = join(work, "source");
const home: Home = { ...homeOf({ VARVE_HOME: join(work, "home") }), defaultRemote: `file://${work}/remote` };
const rows: string[][] = [];
try {
  for (let at = 0; at < files; at += FILES_IN_FOLDER)
    makeFlat(join(source, String(at)), Math.min(FILES_IN_FOLDER, files - at), FILE_BYTES);
  await inWorkspace(home, make);
  const cold = { ...home, cacheDir: join(work, "cache") };
  await inWorkspace(cold, (workspace) => restore(workspace, "restored as files, empty cache", "8 s"));
  await inWorkspace(cold, (workspace) => restore(workspace, "the same again, compared", "1.5 s"));
  noteMemory("most memory, all of it in one process");
} finally {
  rmSync(work, { recursive: true, maxRetries: 3 });
}
console.log(renderTable([{ title: "what" }, { title: "seen", align: "right" }, { title: "to reach" }], rows));

async function make(workspace: Workspace): Promise<void> {
  const started = performance.now();
  const draft = await Dataset.create(DATASET, { workspace });
  await timed("added", "", () => draft.addFiles(source));
  await timed("uploaded", "", () => draft.upload());
  await timed("finalized", "", () => draft.finalize());
  note("together", performance.now() - started, "10 s");
  mkdirSync(join(work, "more"));
  writeFileSync(join(work, "more", "one"), "one file more");
  await timed("one file in a child: create, add, upload, finalize", "1 s", async () => {
    const child = await Dataset.create(DATASET, { parents: [DATASET], workspace });
    await child.addFiles(join(work, "more"));
    await child.upload();
    await child.finalize();
  });
  noteMemory("most memory until here");
}

async function restore(workspace: Workspace, what: string, goal: string): Promise<void> {
  await timed(what, goal, async () => {
    await (await Dataset.get(DATASET, { workspace })).getLocalCopy({ mode: "files" });
  });
}

async function inWorkspace(home: Home, work: (workspace: Workspace) => Promise<void>): Promise<void> {
  const workspace = new Workspace({ home });
  await work(workspace);
  await workspace.close();
}

async function timed(what: string, goal: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  note(what, performance.now() - started, goal);
}

function noteMemory(what: string): void {
  rows.push([what, `${(process.resourceUsage().maxRSS / KiB).toFixed(0)} MiB`, "300 MB"]);
}

function note(what: string, ms: number, goal: string): void {
  rows.push([what, `${(ms / 1000).toFixed(2)} s`, goal]);
}
