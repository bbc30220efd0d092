/** A process that creates the keys `race/0`, `race/1` … in a folder and prints those it won. */
import { once } from "node:events";

import { isDatasetError } from "../../src/errors.js";
import { fileRemote } from "../../src/remote/file/file.js";

const [directory = "", rounds = ""] = process.argv.slice(2);
const remote = fileRemote(directory);
const wins: string[] = [];

console.log("ready");
await once(process.stdin, "data");
for (let round = 0; round < Number(rounds); round++) {
  const key = `race/${round}`;
  try {
    await remote.create(key, Buffer.from(String(process.pid)));
    wins.push(key);
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
  }
}
console.log(JSON.stringify(wins));
