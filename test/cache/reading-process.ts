/**
 * A process that reads random blocks of the shared pack through the cache of a folder, and through handles of its own
 * as a worker thread has them. Ends with a line of JSON: what went wrong, and what the cache says of itself.
 */
import { openCache } from "../../src/cache/cache.js";
import { openLocalBlocks } from "../../src/cache/local-blocks.js";
import { KiB } from "../../src/units.js";
import { memoryRemote } from "../support/memory-remote.js";
import { bytesOf, objectsOf } from "./blocks.js";
import { SHARED_MAX_BYTES, contentOf, sharedPack } from "./shared-pack.js";

const [directory = "", seed = "0", rounds = "0"] = process.argv.slice(2);
const problems: string[] = [];
const onWarning = (message: string, data: Record<string, unknown>) =>
  void problems.push(`${message} ${JSON.stringify(data)}`);
const remote = memoryRemote(objectsOf(sharedPack));
const cache = await openCache({
  directory,
  maxBytes: SHARED_MAX_BYTES,
  memoryBytes: 64 * KiB,
  remoteOf: () => remote,
  onWarning,
});
const local = openLocalBlocks({ directory, memoryBytes: 1, onWarning });
const choices = bytesOf(Number(seed), 4 * Number(rounds));

for (let round = 0; round < Number(rounds); round++) {
  const asked = [...choices.subarray(4 * round, 4 * round + 4)].map(
    (choice) => choice % sharedPack.blocks.length,
  );
  const read = await cache.readMany(asked.map((at) => sharedPack.blocks[at]!));
  for (const [place, at] of asked.entries()) {
    if (!Buffer.from(contentOf(at)).equals(read[place]!)) problems.push(`block ${at} is wrong`);
    const part = new Uint8Array(1000);
    const isHere = local.copy(sharedPack.blocks[at]!.hash, 100, 1100, part, 0);
    if (isHere && !Buffer.from(contentOf(at).subarray(100, 1100)).equals(part))
      problems.push(`part of block ${at} is wrong`);
  }
  if (round % 20 === 0) process.stdout.write(`round ${round}\n`);
}
local.close();
await cache.close();
process.stdout.write(`${JSON.stringify({ problems, diskHits: cache.stats().hits.disk })}\n`);
