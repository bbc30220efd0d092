/**
 * Whether a folder holds what a version holds: the same files with the same content, the same folders and symbolic links,
 * and nothing else. Modes, times and attributes are not compared. Nothing that is wrong with the folder is an exception.
 */
import { resolve } from "node:path";
import type { VersionRow } from "../../catalog/catalog.js";
import { DatasetError } from "../../errors.js";
import { EntryType } from "../../manifest/entry.js";
import { type TreePath, bytesOfText } from "../../paths.js";
import { readLocalRoot } from "../local-folder.js";
import { openVersionTree } from "../version-tree.js";
import type { Workspace } from "../workspace.js";
import { type ToHash, compareFolder } from "./compare-folder.js";
import { hashSurely } from "./hash-surely.js";
import type { VerifyOptions } from "./verify-version.js";

/** `type`: another kind of thing, as a folder in place of a file. `unreadable`: there, and not to be judged. */
export type FolderState = "missing" | "extra" | "changed" | "type" | "unreadable";

export interface FolderDifference {
  path: TreePath;
  state: FolderState;
  /** In words: what is there, and what should be; empty where the state says it all. */
  problem: string;
}

export interface VerifiedFolder {
  of: "folder";
  by: "hash" | "size";
  /** Its real path. */
  folder: string;
  /** What the version holds: files (external ones too), folders and symbolic links. */
  entries: number;
  /** External files whose SHA-256 nobody knows: of these only sizes were compared. */
  unhashed: number;
  /** Sorted by path. */
  differences: FolderDifference[];
}

/** @throws {DatasetError} `not-found` without the folder; `bad-input` when it is none; `version-unfinished`; `cancelled` */
export async function verifyFolder(
  workspace: Workspace,
  version: VersionRow,
  folder: string,
  { by = "hash", signal, onProgress }: VerifyOptions,
): Promise<VerifiedFolder> {
  const cache = await workspace.cache();
  const tree = await openVersionTree(workspace, version);
  const top = readLocalRoot(bytesOfText(resolve(folder)));
  if (top.type !== EntryType.directory) throw noFolder(folder);
  const { entries, contentBytes: totalBytes } = tree.root.totals;
  const differences: FolderDifference[] = [];
  let [bytes, unhashed] = [0, 0];
  const tell = (more: number) => onProgress?.({ bytes: (bytes += more), totalBytes });
  const toHash = async function* (): AsyncGenerator<ToHash> {
    for await (const finding of compareFolder(cache, tree, top.path, signal)) {
      if (finding.kind === "difference") differences.push(finding);
      else if (finding.sha256 === undefined || by === "size") tell(finding.sizeBytes);
      else yield { ...finding, sha256: finding.sha256 };
      if (finding.kind === "file" && finding.sha256 === undefined) unhashed++;
    }
  };
  for await (const { file, problem, state } of hashSurely(toHash(), signal)) {
    if (state !== "same") differences.push({ path: file.path, state, problem });
    tell(file.sizeBytes);
  }
  const sorted = differences.map(({ path, state, problem }) => ({ path, state, problem })).sort(byPath);
  const real = Buffer.from(top.path, "latin1").toString("utf8");
  return { of: "folder", by, folder: real, entries, unhashed, differences: sorted };
}

function byPath(a: FolderDifference, b: FolderDifference): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function noFolder(folder: string): DatasetError<"bad-input"> {
  const message = `Cannot verify "${folder}": it is no folder`;
  return new DatasetError("bad-input", { value: folder }, message);
}
