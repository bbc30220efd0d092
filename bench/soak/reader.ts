/** A reader of the soak: `node reader.js FOLDER HASHES SEED` reads files at random and compares each with its hash. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import { moved, obey, randomFrom, sha256 } from "./client.js";

const [folder, hashFile, seed] = process.argv.slice(2) as [string, string, string];
const hashes = Object.entries(JSON.parse(readFileSync(hashFile, "utf8")) as Record<string, string>);
const random = randomFrom(Number(seed));

function step(): void {
  const [name, hash] = hashes[Math.floor(random() * hashes.length)]!;
  const path = join(folder, name);
  const kind = random();
  if (kind < 0.1) readdirSync(dirname(path));
  else if (kind < 0.3) statSync(path);
  else {
    const bytes = readFileSync(path);
    moved(bytes.length);
    if (sha256(bytes) !== hash) throw new Error(`wrong bytes in ${path}`);
  }
}

await obey(step, () => {}, 60);
