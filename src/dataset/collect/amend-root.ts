/** Tells that a version's tree is named by another root from now on: the same tree, other places of its bytes. */
import { randomBytes } from "node:crypto";
import type { ObjectKey } from "../../remote/remote.js";
import { writeAmendment } from "../amendment-objects.js";
import type { FoundVersion } from "../history.js";
import type { VersionRecord } from "../record.js";
import type { OpenedRemote, Workspace } from "../workspace.js";

/**
 * @param needs What the new root names and no other does, in this remote; put under `lease`.
 * @throws {DatasetError} `collected` where some of it was deleted meanwhile
 */
export async function amendRoot(
  workspace: Workspace,
  opened: OpenedRemote,
  { dataset, version }: FoundVersion,
  { root, needs, lease }: { root: VersionRecord["root"]; needs: ReadonlySet<ObjectKey>; lease: string },
): Promise<void> {
  const change = { kind: "root" as const, version: version.id, root };
  const id = randomBytes(16).toString("hex");
  const needed = { lease, needs: async () => new Map([[opened.id, needs]]) };
  await writeAmendment(workspace, opened, dataset, { id, change }, needed);
}
