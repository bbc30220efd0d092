/**
 * A process that takes steps in a folder, `logging-writer.js FOLDER LOG`, until its standard input ends; then it writes
 * when each step was begun and had returned. Now and then it pauses, so that several writers fall in and out of step.
 */
import { writeFileSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";

import { type Timed, Writer } from "./logged-steps.js";

const PAUSE_EVERY = 53;

const [folder, log] = process.argv.slice(2) as [string, string];
const writer = new Writer(folder);
const steps: Timed[] = [];
let isToStop = false;
process.stdin.resume().once("end", () => (isToStop = true));
const now = (): number => Number(process.hrtime.bigint());

for (let number = 0; !isToStop; number++) {
  const begin = now();
  writer.step(number);
  steps.push({ begin, end: now() });
  if (number === 0) console.log("writing");
  if (number % PAUSE_EVERY === 0) await setTimeout(2);
  else if (number % 8 === 0) await setImmediate();
}
writeFileSync(log, JSON.stringify(steps));
