/**
 * Names that are two in a version and one on a file system that takes `A` for `a`. Looked for before anything is
 * written, since the second would take the place of the first.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Cache } from "../../cache/cache.js";
import { DatasetError } from "../../errors.js";
import type { Tree } from "../../manifest/tree.js";
import { type TreePath, nameOf, parentOf, textOf } from "../../paths.js";
import { type Selection, rangesOf } from "./selection.js";

/** @throws {DatasetError} `conflict` that names both */
export async function refuseClashes(
  cache: Cache,
  tree: Tree,
  selection: Selection,
  real: string,
): Promise<void> {
  if (!foldsCase(real)) return;
  const clashes = new Clashes();
  for await (const { range, ordinal } of rangesOf(cache, tree))
    for (let index = 0; index < range.count; index++)
      if (selection.has(ordinal + index)) clashes.add(range.pathAt(index));
}

/** Shown paths in the order of a tree, whose folders' contents follow one another. */
export class Clashes {
  #folder: TreePath | undefined;
  #names = new Map<string, TreePath>();

  /** @throws {DatasetError} `conflict` */
  add(path: TreePath): void {
    if (parentOf(path) !== this.#folder) {
      this.#folder = parentOf(path);
      this.#names = new Map();
    }
    const folded = textOf(nameOf(path)).normalize("NFC").toLowerCase();
    const other = this.#names.get(folded);
    if (other !== undefined) throw clash(other, path);
    this.#names.set(folded, path);
  }
}

function foldsCase(real: string): boolean {
  const name = `.varve-${randomUUID()}`;
  mkdirSync(join(real, name));
  try {
    return existsSync(join(real, name.toUpperCase()));
  } finally {
    rmdirSync(join(real, name));
  }
}

function clash(a: TreePath, b: TreePath): DatasetError<"conflict"> {
  const [one, other] = [textOf(a), textOf(b)];
  const message = `Cannot copy "${one}" and "${other}": the file system takes their names for the same; mount the version, or copy it elsewhere`;
  return new DatasetError("conflict", { what: other }, message);
}
