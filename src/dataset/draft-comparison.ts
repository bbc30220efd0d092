/** A draft as a tree to compare: what is staged laid over its base. Files not yet uploaded are read for their hash. */
import { createReadStream } from "node:fs";
import { RunningSha256 } from "../content/hash.js";
import type { Sha256 } from "../content/chunk.js";
import { type Edit, EntryType } from "../manifest/entry.js";
import type { TreePath } from "../paths.js";
import type { Draft } from "./draft.js";
import { unstored } from "./overlay-content.js";
import type { Source } from "./staging.js";
import { type LoadedTree, editInMemory, emptyTree, loadedTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/** @throws what the system throws for a staged file that cannot be read any more */
export async function draftAsTree(workspace: Workspace, draft: Draft): Promise<LoadedTree> {
  const { staging, base } = draft.tree;
  const { id } = draft.remote;
  const hashes = new Map<TreePath, Hashed>();
  for (const { path, source } of staging.pending()) hashes.set(path, await hashOf(path, source));
  const edits = function* (): Iterable<Edit> {
    for (const edit of staging.edits()) {
      const hashed = hashes.get(edit.path);
      if (edit.type !== EntryType.file || !hashed) yield edit;
      else {
        const sizeBytes = hashed.sizeBytes ?? edit.sizeBytes;
        yield { ...edit, sizeBytes, holes: undefined, ...unstored(hashed.sha256, sizeBytes, id) };
      }
    }
  };
  const first = loadedTree(await workspace.cache(), base ?? emptyTree(id));
  return editInMemory(first, edits(), id);
}

interface Hashed {
  sha256: Sha256;
  /** As read; undefined where it is as staged. */
  sizeBytes?: number;
}

/** What an overlay holds is told by nothing but itself: it counts as unlike everything. */
async function hashOf(path: TreePath, source: Source): Promise<Hashed> {
  if (source.kind === "stored") return { sha256: source.sha256 };
  const running = new RunningSha256();
  if (source.kind === "overlay") running.update(Buffer.from(`${path}\0overlay ${source.ino}`, "latin1"));
  let sizeBytes = 0;
  if (source.kind === "file")
    for await (const bytes of createReadStream(Buffer.from(source.path, "latin1")) as AsyncIterable<Buffer>) {
      running.update(bytes);
      sizeBytes += bytes.length;
    }
  const sha256 = running.digest();
  return source.kind === "file" ? { sha256, sizeBytes } : { sha256 };
}
