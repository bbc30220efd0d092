/**
 * Preloaded into varve's processes (`NODE_OPTIONS=--import`): writes down, in the file that BENCH_LOG names, what a
 * process took when it ends: `end`, milliseconds of CPU, most KiB of memory.
 */
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const log = process.env["BENCH_LOG"];

if (isMainThread && log !== undefined)
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    appendFileSync(log, `end ${Math.round((userCPUTime + systemCPUTime) / 1000)} ${maxRSS}\n`);
  });
