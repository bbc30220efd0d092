/** Groups of paths that are one file: a union of what is known pair by pair. */
import type { TreePath } from "../paths.js";
import { comparePaths } from "./key.js";

export class LinkGroups {
  /** Each path to another of its group; the last of such a chain, the group's head, to itself. */
  readonly #toward = new Map<TreePath, TreePath>();

  add(path: TreePath): void {
    if (!this.#toward.has(path)) this.#toward.set(path, path);
  }

  join(a: TreePath, b: TreePath): void {
    this.add(a);
    this.add(b);
    this.#toward.set(this.#headOf(a), this.#headOf(b));
  }

  /** Every path with what its entry must name (`hardLinks`); a group of one names nothing. */
  *wanted(): Generator<[TreePath, readonly TreePath[]]> {
    for (const members of this.#groups()) {
      const [first, ...others] = members.sort(comparePaths) as [TreePath, ...TreePath[]];
      yield [first, others];
      for (const other of others) yield [other, [first]];
    }
  }

  #groups(): Iterable<TreePath[]> {
    const groups = new Map<TreePath, TreePath[]>();
    for (const path of this.#toward.keys()) {
      const head = this.#headOf(path);
      const group = groups.get(head);
      if (group) group.push(path);
      else groups.set(head, [path]);
    }
    return groups.values();
  }

  #headOf(path: TreePath): TreePath {
    let head = path;
    for (let next = this.#toward.get(head)!; next !== head; next = this.#toward.get(head)!) {
      // Halving the chain on the way keeps a group of a million members linear.
      this.#toward.set(head, this.#toward.get(next)!);
      head = next;
    }
    return head;
  }
}
