/** The files of `.varve`: one line of text for shells, JSON for programs. */
import type { Root } from "../../manifest/root.js";
import type { Lineage } from "../questions.js";
import type { Facts } from "./facts-folder.js";

/** A version by its names. */
export interface NamedVersion {
  id: string;
  /** `project/name@label`. */
  reference: string;
}

/** @param lineage May throw `Missing`. */
export function versionFacts({ id, reference }: NamedVersion, root: Root, lineage: () => Lineage): Facts {
  const { treeDigest: tree, contentDigest: content, totals } = root;
  const digests = { tree, content, files: totals.files, bytes: totals.contentBytes };
  return new Map([
    ["reference", () => lineOf(reference)],
    ["id", () => lineOf(id)],
    ["digests.json", () => lineOf(JSON.stringify(digests, null, 2))],
    ["lineage.json", () => lineOf(lineage().json)],
  ]);
}

function lineOf(text: string): Uint8Array {
  return Buffer.from(`${text}\n`, "utf8");
}
