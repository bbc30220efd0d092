/** Index segments and attachments of a version: whether each is there, of the size it should have. */
import type { VersionRow } from "../../catalog/catalog.js";
import type { RemoteId } from "../../content/chunk.js";
import { mapInOrder } from "../../content/in-order.js";
import { segmentKey } from "../../content/segment.js";
import { isDatasetError, messageOf } from "../../errors.js";
import { attachmentsIn } from "../collect/attachments-of.js";
import { attachmentKey } from "../attachments.js";
import { recordedBelongings } from "../belongings.js";
import { FILE_METADATA_KIND } from "../file-metadata/table.js";
import { REPORTS_KIND } from "../reports/version-reports.js";
import { openVersionTree } from "../version-tree.js";
import type { Workspace } from "../workspace.js";
import type { Problem, Problems } from "./fsck.js";

const STATS_AT_ONCE = 16;

interface Expected {
  what: "segment" | "attachment";
  remote: RemoteId;
  key: string;
  bytes: number;
}

export async function checkBelongings(
  workspace: Workspace,
  version: VersionRow,
  name: string,
  problems: Problems,
): Promise<void> {
  const expected = [
    ...(await segmentsOf(workspace, version)),
    ...(await attachmentsOf(workspace, version, name, problems)),
  ];
  const check = (one: Expected) => problemOf(workspace, one);
  for await (const problem of mapInOrder(expected, STATS_AT_ONCE, check))
    if (problem) problems.note(problem, name);
}

async function segmentsOf(workspace: Workspace, version: VersionRow): Promise<Expected[]> {
  const { root } = await openVersionTree(workspace, version);
  return root.segments.map(({ remote, id, sizeBytes }) => ({
    what: "segment" as const,
    remote,
    key: segmentKey(id),
    bytes: sizeBytes,
  }));
}

/** A page that cannot be read is noted; what it names is not known then. */
async function attachmentsOf(
  workspace: Workspace,
  { id, rootKey, remoteId }: VersionRow,
  name: string,
  problems: Problems,
): Promise<Expected[]> {
  const catalog = await workspace.catalog();
  const annexes = {
    [FILE_METADATA_KIND]: await catalog.annexesOf(id, FILE_METADATA_KIND),
    [REPORTS_KIND]: await catalog.annexesOf(id, REPORTS_KIND),
  };
  const belongings = recordedBelongings({ metadata: await catalog.listMetadata(id), annexes });
  const found: Expected[] = [];
  try {
    for await (const { remote, sha256, bytes, brotli } of attachmentsIn(await workspace.cache(), belongings))
      if (bytes > 0)
        found.push({
          what: "attachment",
          remote,
          key: attachmentKey(brotli?.sha256 ?? sha256),
          bytes: brotli?.bytes ?? bytes,
        });
  } catch (error) {
    if (!isDatasetError(error)) throw error;
    const problem = messageOf(error);
    const { url: remote } = await workspace.remote(remoteId as RemoteId);
    problems.note({ what: "attachment", state: "failed", remote, key: rootKey ?? "", problem }, name);
  }
  return found;
}

async function problemOf(
  workspace: Workspace,
  { what, remote: id, key, bytes }: Expected,
): Promise<Omit<Problem, "versions"> | undefined> {
  const remote = await workspace.remote(id);
  const { url } = remote;
  const info = await remote.stat(key);
  if (!info) return { what, remote: url, key, state: "missing", problem: "there is no such object" };
  if (info.sizeBytes === bytes) return undefined;
  return {
    what,
    remote: url,
    key,
    state: "damaged",
    problem: `it has ${info.sizeBytes} bytes, not ${bytes}`,
  };
}
