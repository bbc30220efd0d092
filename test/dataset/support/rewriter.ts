/**
 * A process that rewrites files of a folder, each time as a whole and each in a state that its bytes tell, until it is
 * killed. It says `started` after the first round. It rests for up to six times `restMs` between rounds, so that some
 * reads fit in there; with 0 not at all.
 */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { STATE_BYTES, stateBytes } from "./states.js";

const [folder = "", count = "", restMs = ""] = process.argv.slice(2);
const files = [...Array(Number(count)).keys()].map((index) => openSync(join(folder, `f${index}`), "w"));
for (let state = 0; ; state++) {
  for (const fd of files) {
    const bytes = stateBytes(state);
    for (let at = 0; at < STATE_BYTES; at += STATE_BYTES / 4) writeSync(fd, bytes, at, STATE_BYTES / 4, at);
  }
  if (state === 0) console.log("started");
  if (restMs !== "0") await setTimeout((state % 7) * Number(restMs));
}
