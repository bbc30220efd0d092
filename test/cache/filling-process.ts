/** A process that reads the parts of a whole through the cache of a folder, in an order of its own, again and again. */
import { openCache } from "../../src/cache/cache.js";
import { MiB } from "../../src/units.js";
import { memoryRemote } from "../support/memory-remote.js";
import { bytesOf, objectsOf } from "./blocks.js";
import { type LargeFile, largeFile } from "./large-file.js";

const [directory = "", seed = "0"] = process.argv.slice(2);

async function readAll({ pack, blocks }: LargeFile, order: Uint8Array): Promise<void> {
  const remote = memoryRemote(objectsOf(pack));
  const cache = await openCache({ directory, maxBytes: 64 * MiB, memoryBytes: 1, remoteOf: () => remote });
  const shuffled = blocks.toSorted(
    (a, b) => order[a.part.at % order.length]! - order[b.part.at % order.length]!,
  );
  for (const block of shuffled) await cache.read(block);
  await cache.close();
}

for (let round = 0; ; round++) {
  await readAll(largeFile(round), bytesOf(Number(seed) + round, 251));
  process.stdout.write(`round ${round}\n`);
}
