/**
 * Where things are now: the path of a directory, and the paths of an inode. A directory of the base that was not
 * moved is found through the base, so nothing has to be written for what lies below a folder that was.
 */
import { hardLinksOf } from "../../manifest/entry.js";
import { ROOT, type TreePath, joinPath, nameOf, parentOf } from "../../paths.js";
import { type Ino, ROOT_INO } from "../filesystem.js";
import { type BaseNames, inoOf, ordinalOf } from "./base.js";
import type { Journal } from "./journal.js";
import type { PlacedDentry } from "./name-table.js";

/** The state of one moment: made anew after changes. Its first use reads the names of all moved and new directories. */
export class Locator {
  readonly #named = new Map<Ino, PlacedDentry>();
  readonly #paths = new Map<Ino, TreePath | undefined>([[ROOT_INO, ROOT]]);

  constructor(
    private readonly names: BaseNames,
    private readonly journal: Journal,
  ) {
    for (const dentry of journal.names.directories()) this.#named.set(dentry.ino, dentry);
  }

  /** The path of a directory, or undefined for one that was removed. */
  directory(ino: Ino): TreePath | undefined {
    // From it upwards to what is known, then down again: folders may lie in each other deeper than calls may.
    const unknown = new Map<Ino, string>();
    let known = ino;
    while (!this.#paths.has(known)) {
      const above = unknown.has(known) ? undefined : this.#above(known);
      if (!above) this.#paths.set(known, undefined);
      else {
        unknown.set(known, above.name);
        known = above.parent;
      }
    }
    let path = this.#paths.get(known);
    for (const [each, name] of [...unknown].reverse()) {
      path = path === undefined ? undefined : joinPath(path, name);
      this.#paths.set(each, path);
    }
    return path;
  }

  /** The path of a name in a directory, or undefined where the directory was removed. */
  child(parent: Ino, name: string): TreePath | undefined {
    const directory = this.directory(parent);
    return directory === undefined ? undefined : joinPath(directory, name);
  }

  /** All paths of an inode of the base that it has through the base, which is: where nothing was renamed over it. */
  throughBase(ordinal: number): TreePath[] {
    const entry = this.names.entry(ordinal);
    return [entry.path, ...(hardLinksOf(entry) ?? [])].flatMap((path) => this.basePath(path) ?? []);
  }

  /** Where an entry of the base is now if its own name was left alone; undefined when it was removed or renamed. */
  basePath(path: TreePath): TreePath | undefined {
    if (path === ROOT) return ROOT;
    const above = this.#aboveInBase(path);
    return above && this.child(above.parent, above.name);
  }

  /** All paths of an inode that is no directory. Reads the names of the whole overlay. */
  all(ino: Ino): TreePath[] {
    const named = this.journal.names.named(ino).flatMap(({ parent, name }) => this.child(parent, name) ?? []);
    const ordinal = ordinalOf(ino);
    return ordinal === undefined ? named : [...this.throughBase(ordinal), ...named];
  }

  /** The name of a directory and what it is in; undefined for one that was removed. */
  #above(ino: Ino): { parent: Ino; name: string } | undefined {
    const named = this.#named.get(ino);
    if (named) return named;
    const ordinal = ordinalOf(ino);
    return ordinal === undefined ? undefined : this.#aboveInBase(this.names.path(ordinal));
  }

  /** Where an entry of the base is if its own name was left alone; undefined when it was removed or renamed. */
  #aboveInBase(path: TreePath): { parent: Ino; name: string } | undefined {
    const parent = this.names.find(parentOf(path));
    if (parent === undefined || this.journal.names.get(inoOf(parent), nameOf(path))) return undefined;
    return { parent: inoOf(parent), name: nameOf(path) };
  }
}
