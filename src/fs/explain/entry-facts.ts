/**
 * Attributes that explain an entry of a version. They can be asked for but are not listed, so that `cp -a` and
 * `rsync -X` do not carry them to where they would soon be wrong.
 */
import type { LocalBlocks } from "../../cache/block.js";
import { linkBlocks } from "../../cache/link-blocks.js";
import type { Chunk } from "../../content/chunk.js";
import { EntryType } from "../../manifest/entry.js";
import type { Tree } from "../../manifest/tree.js";

export interface Explaining {
  tree: Tree;
  blocks: LocalBlocks;
  /** `project/name@label` of the version an entry came in with; may throw `Missing`. Absent: nobody can tell. */
  originOf?: ((ordinal: number) => string) | undefined;
}

type Fact = (of: Explaining, ordinal: number) => string | undefined;

const FACTS: Readonly<Record<string, Fact>> = {
  /** The SHA-256 of a file's content. */
  "user.varve.sha256": ({ tree }, ordinal) => {
    const { range, index } = tree.place(ordinal);
    return range.sha256At(index);
  },
  /** Where the bytes of an external file lie. */
  "user.varve.url": ({ tree }, ordinal) => {
    const { range, index } = tree.place(ordinal);
    return range.extrasAt(index)?.url;
  },
  /** The oldest version since which the path has held what it holds, without a break. */
  "user.varve.version": ({ originOf }, ordinal) => originOf?.(ordinal),
  /** The share of a file's bytes that lie on this machine: `0`, `1`, or up to four decimals between. */
  "user.varve.cached": cachedShare,
};

/** What attribute `name` says of an entry as text; undefined where it says nothing. May throw `Missing`. */
export function entryFact(of: Explaining, ordinal: number, name: string): Uint8Array | undefined {
  const text = FACTS[name]?.(of, ordinal);
  return text === undefined ? undefined : Buffer.from(text, "utf8");
}

const NOTHING = new Uint8Array(0);

function cachedShare({ tree, blocks }: Explaining, ordinal: number): string | undefined {
  const type = tree.type(ordinal);
  if (type !== EntryType.file && type !== EntryType.link) return undefined;
  let [here, all] = [0, 0];
  for (const { hash, sizeBytes } of blocksIn(tree, ordinal)) {
    all += sizeBytes;
    if (blocks.copy(hash, 0, 0, NOTHING, 0)) here += sizeBytes;
  }
  if (here === all) return "1";
  // Rounded so that only nothing is 0, and only everything 1.
  return String(Math.min(0.9999, Math.ceil((here / all) * 10_000) / 10_000));
}

function blocksIn(tree: Tree, ordinal: number): Iterable<Pick<Chunk, "hash" | "sizeBytes">> {
  const entry = tree.entry(ordinal);
  return entry.type === EntryType.link ? linkBlocks(entry) : tree.chunks(ordinal);
}
