/** A program to be killed: makes files without end, and says which are closed. */
import { writeSync } from "node:fs";
import { openOverlay } from "../../../src/fs/overlay/overlay.js";
import { Client } from "./client.js";
import { MemoryBase, pattern } from "./memory-base.js";

const base = new MemoryBase({});
const client = new Client(openOverlay(process.argv[2]!, base, { reserveBytes: 0 }), base);
for (let number = 0; ; number++) {
  const file = client.create(`f${number}`, 0o644);
  client.write(file, 0, pattern(2_000, number));
  client.write(file, 1_500, pattern(3_000, number).subarray(1_500));
  client.close(file);
  writeSync(1, `f${number}\n`);
}
