/** Reads files of a folder one after another: `node hash-files.js FOLDER NAME…` prints the SHA-256 of each, a line each. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

import { MiB } from "../../src/units.js";

const [folder, ...names] = process.argv.slice(2) as [string, ...string[]];
const piece = Buffer.alloc(1 * MiB);

for (const name of names) console.log(hashOf(join(folder, name)));

function hashOf(path: string): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "r");
  for (let got = readSync(fd, piece); got > 0; got = readSync(fd, piece)) hash.update(piece.subarray(0, got));
  closeSync(fd);
  return hash.digest("hex");
}
