/**
 * What a long history costs who uses its last version: a chain of versions, each with one file more, and a ladder of diamonds,
 * against short histories of as many files. Run after a build:
 * `node dist/bench/chains.js [DEPTH]` (default 1,000); works in a temporary folder.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";

import { renderTable } from "../src/cli/table.js";
import { type Costs, History, meteredHome } from "./support/histories.js";
import { startMeter } from "./support/meter.js";

const BASE_FILES = 100;
const DIAMONDS = 12;

const depth = Number(process.argv[2] ?? 1_000);
const work = mkdtempSync(join(tmpdir(), "varve-chains-"));
const home = meteredHome(work);
startMeter(home.catalogPath);
const rows: string[][] = [];
try {
  await benchChain([2, 100, depth].filter((each, index) => index !== 1 || each < depth));
  await benchFlat(BASE_FILES + depth - 2);
  await benchDiamonds();
} finally {
  rmSync(work, { recursive: true, maxRetries: 3 });
}
const titles = ["queries", "rows", "requests", "keys listed", "KiB", "seconds"];
const numbers = titles.map((title) => ({ title, align: "right" as const }));
console.log(renderTable([{ title: "history" }, { title: "what" }, ...numbers], rows));
console.log(`load ${loadavg()[0]!.toFixed(0)}`);

async function benchChain(depths: readonly number[]): Promise<void> {
  const chain = await begin("chain", BASE_FILES);
  let length = 1;
  for (const depth of depths) {
    await chain.lengthen(depth - length - 1);
    report(`chain of ${depth}`, await chain.measure());
    length = depth + 1;
  }
  await chain.close();
}

/** As many files as a chain has in the end, and no history: what is not the price of depth. */
async function benchFlat(files: number): Promise<void> {
  const flat = await begin("flat", files);
  report(`2 versions, ${files + 1} files`, await flat.measure());
  await flat.close();
}

async function benchDiamonds(): Promise<void> {
  const ladder = await begin("diamonds", BASE_FILES);
  for (let level = 1; level <= DIAMONDS; level++) {
    const sides = await ladder.fork();
    if (level !== 2 && level !== DIAMONDS) await ladder.join(sides);
    else report(`diamond, level ${level}`, await ladder.measure(sides));
  }
  await ladder.close();
}

function begin(name: string, files: number): Promise<History> {
  const folder = join(work, name);
  mkdirSync(folder);
  return History.begin(home, folder, `p/${name}`, files);
}

function report(history: string, costs: Costs): void {
  for (const what of ["add", "list", "restore", "sync"] as const) {
    const { queries, rows: read, requests, listed, bytes, seconds } = costs[what];
    const counts = [queries, read, requests, listed].map(String);
    rows.push([history, what, ...counts, (bytes / 1024).toFixed(1), seconds.toFixed(2)]);
  }
}
