/**
 * Fuzzes every decoder, each in a process of its own with a small heap, and tells what came of it.
 *
 *     node dist/test/hostile/long-fuzz.js --inputs 100000 [--seed 1] [--only WORD]
 *
 * The last line is `N inputs, C crashes`; the exit code is 1 when there was one.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import type { Scope } from "../support/cleanup.js";
import { decoders } from "./decoders.js";
import { type Fuzzed, fuzz } from "./fuzz.js";

/** What a process may take beside what it maps: a decoder that sets aside what a length field asks for ends here. */
const HEAP_MIB = 512;

interface Told extends Fuzzed {
  name: string;
  largestMiB: number;
  crash?: string;
}

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "10000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    only: { type: "string", default: "" },
    decoder: { type: "string" },
  },
});
const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
if (values.decoder === undefined) await runAll();
else await runOne(values.decoder);

async function runAll(): Promise<void> {
  const names = await withDecoders((all) => Promise.resolve(all.map(({ name }) => name)));
  const told: Told[] = [];
  process.stdout.write(`seed ${seed}\n`);
  for (const name of names.filter((each) => each.includes(values.only))) {
    const one = await inProcess(name);
    told.push(one);
    process.stdout.write(`${lineOf(one)}\n`);
  }
  const crashes = told.filter(({ crash }) => crash !== undefined);
  for (const { name, crash } of crashes) process.stdout.write(`${name}: ${crash}\n`);
  const tried = told.reduce((sum, one) => sum + one.inputs, 0);
  process.stdout.write(`${tried} inputs, ${crashes.length} crashes\n`);
  process.exit(crashes.length === 0 ? 0 : 1);
}

async function runOne(name: string): Promise<void> {
  const told = await withDecoders(async (all) => {
    const decoder = all.find((each) => each.name === name)!;
    return fuzz(decoder, Math.max(1, Math.round(inputs * (decoder.share ?? 1))), seed);
  });
  const largestMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(JSON.stringify({ ...told, name, largestMiB }));
  process.exit();
}

function inProcess(name: string): Promise<Told> {
  const own = ["--enable-source-maps", `--max-old-space-size=${HEAP_MIB}`, fileURLToPath(import.meta.url)];
  const args = [...own, "--decoder", name, "--inputs", String(inputs), "--seed", String(seed)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [said, complained]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (piece: Buffer) => said.push(piece));
  child.stderr.on("data", (piece: Buffer) => complained.push(piece));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(said).toString()) as Told);
      const crash = `${signal ?? `exit code ${code ?? "?"}`}\n${Buffer.concat(complained).toString().slice(0, 4_000)}`;
      resolve({ name, inputs: 0, outcomes: {}, slowestMs: 0, largestMiB: 0, crash });
    });
  });
}

async function withDecoders<T>(work: (all: Awaited<ReturnType<typeof decoders>>) => Promise<T>): Promise<T> {
  const steps: (() => Promise<void>)[] = [];
  const scope: Scope = { after: (step) => void steps.push(step) };
  try {
    return await work(await decoders(scope));
  } finally {
    for (const step of steps) await step();
  }
}

function lineOf({ name, inputs: tried, outcomes, slowestMs, largestMiB }: Told): string {
  const said = Object.entries(outcomes)
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, count]) => `${outcome} ${count}`);
  return `${name}: ${tried} inputs; ${said.join(", ")}; slowest ${slowestMs.toFixed(1)} ms; largest ${largestMiB} MiB`;
}
