/** Part of a version: what a mount with `--where` shows, and a draft that holds no more than it. */
import { DatasetError } from "../errors.js";
import { ROOT } from "../paths.js";
import type { Draft } from "./draft.js";
import { type Selection, type SelectionSource, selectOrdinals } from "./file-metadata/select.js";
import { openFileTable } from "./file-metadata/table.js";
import type { FoundVersion } from "./history.js";
import { slicesOf } from "./version-blocks.js";
import { openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/** A finished version, open to be chosen from. */
export async function selectionSource(
  workspace: Workspace,
  { version }: Pick<FoundVersion, "version">,
): Promise<SelectionSource> {
  const cache = await workspace.cache();
  return {
    cache,
    tree: await openVersionTree(workspace, version),
    table: await openFileTable(workspace, version),
  };
}

/**
 * Stages the removal of everything in the parent of a fresh draft that is not selected.
 *
 * @returns How many files are left.
 * @throws {DatasetError} `bad-input` for an expression that cannot be read, and unless there is just one parent
 */
export async function keepSelected(
  workspace: Workspace,
  draft: Draft,
  selection: Selection,
): Promise<number> {
  const [parent, ...others] = draft.parents;
  if (!parent || others.length > 0) throw notOneParent();
  const source = await selectionSource(workspace, parent);
  const { bits, files } = await selectOrdinals(source, selection);
  const { staging } = draft.tree;
  let ordinal = 0;
  for await (const { range, start, end } of slicesOf(source.tree, [ROOT], (operation) =>
    source.cache.complete(operation),
  ))
    staging.transaction(() => {
      for (let index = start; index < end; index++, ordinal++)
        if ((bits[ordinal >> 3]! & (1 << (ordinal & 7))) === 0) staging.remove(range.pathAt(index));
    });
  return files;
}

function notOneParent(): DatasetError<"bad-input"> {
  const message =
    "Cannot make a version of selected files: name the one parent they are selected from (--parent)";
  return new DatasetError("bad-input", { value: "parents" }, message);
}
