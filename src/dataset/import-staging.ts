/** Stages in a draft what makes its tree that of a version in another remote, which has the same parents. */
import type { VersionRow } from "../catalog/catalog.js";
import { inBursts } from "../content/in-bursts.js";
import { type Change, diffTrees } from "../manifest/diff.js";
import { EntryType } from "../manifest/entry.js";
import { type Draft, layersTree } from "./draft.js";
import { stageStored } from "./stage-copy.js";
import { Effect, type Staging } from "./staging.js";
import { asyncRangeLoader, openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/** Changes staged in one transaction. */
const BURST = 2_000;

/** Costs the ranges that differ; content is read by the upload that follows. */
export async function stageBundled(workspace: Workspace, draft: Draft, version: VersionRow): Promise<void> {
  const cache = await workspace.cache();
  const tree = await openVersionTree(workspace, version);
  const before = await layersTree(workspace, draft);
  const load = draft.layers.length > 0 ? before.load : asyncRangeLoader(cache);
  const { staging } = draft.tree;
  for await (const changes of inBursts(diffTrees(before.tree, tree, load), BURST))
    staging.transaction(() => changes.forEach((change) => stage(staging, change)));
}

function stage(staging: Staging, change: Change): void {
  if (change.kind === "removed") staging.remove(change.path);
  else if (change.kind !== "metadata") stageStored(staging, change.after);
  else if (change.before.type === EntryType.file && change.after.type === EntryType.file)
    // The content is what the parent has; where that lies is for the parent to say.
    staging.put({ ...change.after, chunks: change.before.chunks }, Effect.metadata);
  else staging.put(change.after, Effect.metadata);
}
