/**
 * With which version a path came to hold what it holds: from child to parent for as long as the parent has the same
 * there. Of several parents the later wins, as it did in the merge. One look-up an ancestor, and none where the two
 * share the range.
 */
import { LRUCache } from "lru-cache";

import { type Block, type LocalBlocks, Missing } from "../../cache/block.js";
import { keyOf } from "../../manifest/key.js";
import { openRoot } from "../../manifest/root.js";
import { Tree } from "../../manifest/tree.js";
import type { TreePath } from "../../paths.js";
import { MiB } from "../../units.js";
import type { Lineage, LineageVersion } from "../questions.js";
import { rangeLoader } from "../range-loader.js";

/** Roots and ranges of ancestors kept open. */
const ROOTS_BYTES = 32 * MiB;
const RANGES_BYTES = 16 * MiB;
/** Roots asked for together: a walk along 1,000 ancestors waits for some 30 answers. */
const ROOTS_AHEAD = 32;
/** Walks under way that are not begun anew when they go on. */
const MOST_WALKS = 1024;

export class Origins {
  readonly #trees = new LRUCache<string, Tree>({ maxSize: ROOTS_BYTES });
  /** How far back each entry is known to have been as it is, by ordinal. */
  readonly #walks = new LRUCache<number, LineageVersion>({ max: MOST_WALKS });
  readonly #load: ConstructorParameters<typeof Tree>[1];
  #versions: { of: Lineage; byId: Versions } | undefined;

  /**
   * @param version The id of the version whose tree it is.
   * @param lineage May throw `Missing`.
   */
  constructor(
    private readonly version: string,
    private readonly tree: Tree,
    private readonly blocks: LocalBlocks,
    private readonly lineage: () => Lineage,
  ) {
    this.#load = rangeLoader(blocks, RANGES_BYTES);
  }

  /** `project/name@label` of the version an entry came in with. May throw `Missing`. */
  of(ordinal: number): string {
    const versions = this.#versionsOf(this.lineage());
    let at = this.#walks.get(ordinal) ?? versions.get(this.version)!;
    for (;;) {
      const giver = this.#parentsOf(at, versions).find((parent) => this.#holds(parent, ordinal, versions));
      if (!giver) return at.reference;
      at = giver;
      this.#walks.set(ordinal, at);
    }
  }

  #versionsOf(lineage: Lineage): Versions {
    if (this.#versions?.of !== lineage)
      this.#versions = {
        of: lineage,
        byId: new Map(lineage.versions.map((version) => [version.id, version])),
      };
    return this.#versions.byId;
  }

  /** The parents whose trees there are, the one that wins first. */
  #parentsOf({ parents }: LineageVersion, versions: Versions): LineageVersion[] {
    return parents.flatMap((id) => versions.get(id) ?? []).reverse();
  }

  /** Whether a version has at an entry's path what the entry has. */
  #holds(version: LineageVersion, ordinal: number, versions: Versions): boolean {
    const path = this.tree.path(ordinal);
    const other = this.#open(version, versions);
    if (!other) return false;
    const theirs = other.root.rangeOfKey(keyOf(path));
    const mine = this.tree.root.rangeOfOrdinal(ordinal);
    const shared = theirs >= 0 && this.tree.root.sameRange(mine, other.root, theirs);
    return shared || this.#isSame(other, path, ordinal);
  }

  /** A file is the same by its bytes alone, whatever its mode. */
  #isSame(other: Tree, path: TreePath, ordinal: number): boolean {
    const found = other.find(path);
    if (found === undefined) return false;
    const [mine, theirs] = [this.tree.place(ordinal), other.place(found)];
    const hash = mine.range.sha256At(mine.index);
    return hash === undefined
      ? mine.range.sameContent(mine.index, theirs.range, theirs.index)
      : hash === theirs.range.sha256At(theirs.index);
  }

  #open(version: LineageVersion, versions: Versions): Tree | undefined {
    const { id, root } = version;
    const known = this.#trees.get(id);
    if (known || !root) return known;
    const bytes = this.blocks.get(root.hash);
    if (!bytes) throw new Missing([root], this.#rootsBefore(version, versions));
    const tree = new Tree(openRoot(bytes), this.#load);
    this.#trees.set(id, tree, { size: root.sizeBytes });
    return tree;
  }

  /** Roots that the walk comes to next, if it goes on. */
  #rootsBefore(version: LineageVersion, versions: Versions): Block[] {
    const roots: Block[] = [];
    for (let at: LineageVersion | undefined = version; at && roots.length < ROOTS_AHEAD;) {
      at = this.#parentsOf(at, versions)[0];
      if (at?.root && !this.#trees.has(at.id)) roots.push(at.root);
    }
    return roots;
  }
}

type Versions = ReadonlyMap<string, LineageVersion>;
