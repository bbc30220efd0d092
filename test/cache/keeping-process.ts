/** A process that fills the cache of a folder and looks after it, again and again: to be killed while it does. */
import { DiskTier } from "../../src/cache/disk.js";
import { Housekeeping } from "../../src/cache/housekeeping.js";
import { sha256 } from "../../src/content/hash.js";
import { KiB, MiB } from "../../src/units.js";
import { bytesOf } from "./blocks.js";

const [directory = ""] = process.argv.slice(2);
const disk = new DiskTier(directory, (message) => {
  throw new Error(message);
});
const housekeeping = new Housekeeping(directory);
const blocks = Array.from({ length: 24 }, (_, seed) => bytesOf(seed, 16 * KiB));
const hashes = blocks.map(sha256);

async function* given() {
  yield await Promise.resolve(hashes.slice(0, 4));
}

for (let round = 0; ; round++) {
  for (const [at, bytes] of blocks.entries()) await disk.keep(new Map([[hashes[at]!, bytes]]), MiB);
  const pin = housekeeping.pins.begin(`pin ${round % 3}`, {}, null);
  housekeeping.pins.cover(pin, hashes.slice(4, 12), MiB);
  housekeeping.pins.complete(pin);
  await housekeeping.clearBlocks(given());
  await housekeeping.verify();
  housekeeping.pins.drop(pin);
  await housekeeping.clear();
  process.stdout.write(`round ${round}\n`);
}
