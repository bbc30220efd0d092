/** Whether a version may be deleted: what others make of it, and whose work rests on it. Nothing here changes anything. */
import { liveMounts } from "../daemon/mount-state.js";
import { DatasetError } from "../errors.js";
import { type FoundVersion, isFinished, nameOfVersion } from "./history.js";
import { listOverlays } from "./overlays.js";
import type { Workspace } from "./workspace.js";

/**
 * @param options.force Deletes published versions, mounted ones, and such as have finished children. Work that is not
 *   committed yet, a draft's or a writable mount's, is never deleted from under its maker.
 * @param options.together Ids of versions that go with it.
 * @throws {DatasetError} `conflict` with what is in the way
 */
export async function checkDeletable(
  workspace: Workspace,
  found: FoundVersion,
  { force = false, together = new Set() }: { force?: boolean | undefined; together?: ReadonlySet<string> },
): Promise<void> {
  const { version } = found;
  const children = (await (await workspace.catalog()).childrenOf(version.id)).filter(
    ({ id }) => !together.has(id),
  );
  const unfinished = children.filter((child) => !isFinished(child)).map(({ label }) => `draft ${label}`);
  const work = [...unfinished, ...overlaysOn(workspace, version.id)];
  if (work.length > 0) throw inTheWay(found, `${work.join(", ")} rests on it; finish or discard that first`);
  if (force) return;
  const say = "--force deletes it all the same";
  if (version.state === "published") throw inTheWay(found, `it is published; ${say}`);
  if (children.length > 0) {
    const names = children.map(({ label }) => label).join(", ");
    throw inTheWay(found, `it is the parent of ${names}; ${say}, and they lose nothing`);
  }
  const mounted = liveMounts(workspace.home).filter(({ id }) => id === version.id);
  if (mounted.length > 0)
    throw inTheWay(
      found,
      `it is mounted at ${mounted.map(({ mountpoint }) => mountpoint).join(", ")}; ${say}`,
    );
}

/** Writable mounts, and what they left uncommitted. */
function overlaysOn(workspace: Workspace, versionId: string): string[] {
  return listOverlays(workspace.home)
    .filter(({ base, parent }) => base === versionId || parent === versionId)
    .map(({ mountpoint }) => `the writable mount ${mountpoint}`);
}

function inTheWay(found: FoundVersion, problem: string): DatasetError<"conflict"> {
  const what = nameOfVersion(found);
  return new DatasetError("conflict", { what }, `Cannot delete "${what}": ${problem}`);
}
