/** Files and symbolic links that have several names in a version: one of them is made, the others are linked to it. */
import { type Entry, hardLinksOf } from "../../manifest/entry.js";
import { compareKeys, keyOf } from "../../manifest/key.js";
import type { TreePath } from "../../paths.js";

/** The name that sorts first, of an entry that is not it; see `HardLinks`. Pure. */
export function firstNameOf(entry: Entry): TreePath | undefined {
  const [first, ...others] = hardLinksOf(entry) ?? [];
  if (first === undefined || others.length > 0) return undefined;
  return compareKeys(keyOf(first), keyOf(entry.path)) < 0 ? first : undefined;
}
