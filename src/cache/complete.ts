/** Running synchronous code that may find blocks missing: they are fetched, and it runs again from its start. */
import type { Sha256 } from "../content/chunk.js";
import { type LocalBlocks, Missing } from "./block.js";
import type { Cache, ReadOptions } from "./cache.js";
import type { Held, Holds } from "./hold.js";

/**
 * A run has the blocks that the last one missed, held where no tier can drop them. When blocks of earlier runs were
 * dropped since (memory is small, disk is failing), all are held from then on: so the runs come to an end.
 */
export async function completeWith<T>(
  cache: Pick<Cache, "local" | "readMany" | "prefetch">,
  holds: Holds,
  operation: (local: LocalBlocks) => T,
  options?: ReadOptions,
): Promise<T> {
  const held = holds.open();
  const given = new Set<Sha256>();
  let holdsAll = false;
  try {
    for (;;) {
      const outcome = attempt(() => operation(cache.local));
      if (!(outcome instanceof Missing)) return outcome.value;
      refuseEndless(outcome, held);
      holdsAll ||= outcome.blocks.some(({ hash }) => given.has(hash));
      if (!holdsAll) held.clear();
      for (const [hash, bytes] of await fetchMissing(cache, outcome, options)) held.set(hash, bytes);
      for (const { hash } of outcome.blocks) given.add(hash);
    }
  } finally {
    holds.close(held);
  }
}

function attempt<T>(operation: () => T): { value: T } | Missing {
  try {
    return { value: operation() };
  } catch (thrown) {
    if (thrown instanceof Missing) return thrown;
    throw thrown;
  }
}

/** An operation that misses only what it has at hand looks elsewhere, and would do so for ever. */
function refuseEndless({ blocks }: Missing, held: Held): void {
  if (!blocks.every(({ hash }) => held.has(hash))) return;
  const names = blocks.map(({ hash }) => `"${hash}"`).join(", ");
  throw new Error(`Cannot complete an operation: it misses blocks that it was given (${names})`);
}

/** What is missing is asked for first, so that it does not wait behind what may be fetched along. */
async function fetchMissing(
  cache: Pick<Cache, "readMany" | "prefetch">,
  { blocks, ahead }: Missing,
  options?: ReadOptions,
): Promise<[Sha256, Uint8Array][]> {
  const reading = cache.readMany(blocks, options);
  cache.prefetch(ahead);
  const bytes = await reading;
  return blocks.map(({ hash }, at) => [hash, bytes[at]!]);
}
