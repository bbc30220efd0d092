/** Where a draft goes may still be said at its upload, as long as nothing of it has been sent. */
import { DatasetError } from "../errors.js";
import { attachmentSchema } from "./attachments.js";
import { type Draft, claimDataset } from "./draft.js";
import { refresh } from "./history.js";
import { noRemoteOffline } from "./offline-create.js";
import { textOfDataset } from "./reference.js";
import { hasUploadBegun } from "./upload-begun.js";
import type { Workspace } from "./workspace.js";

/**
 * The draft, to be sent to another remote; its dataset has its name there from then on.
 *
 * @param place Name, URL or absolute path. Undefined, or the remote it has: nothing changes.
 * @throws {DatasetError} `conflict` when something of it was sent, or another dataset has the name there; `not-found`,
 *   `bad-input` for the place; `offline`
 */
export async function withRemote(
  workspace: Workspace,
  draft: Draft,
  place: string | undefined,
): Promise<Draft> {
  if (place === undefined) return draft;
  if (workspace.isOffline) throw noRemoteOffline(place);
  const remote = await workspace.openRemote(place);
  if (remote.id === draft.remote.id) return draft;
  if (await hasSent(workspace, draft)) throw sentAlready(draft, remote.remote.url);
  const dataset = await claimDataset(workspace, draft.dataset, remote);
  await refresh(workspace, dataset, { remote });
  const catalog = await workspace.catalog();
  const version = await catalog.setVersion(draft.version.id, { remoteId: remote.id });
  return { ...draft, dataset, version, remote };
}

/** A copy by squash has been begun as it was made: what it copies is what its remote lacks. */
async function hasSent(workspace: Workspace, draft: Draft): Promise<boolean> {
  const { squash, version, remote } = draft;
  if (squash || version.state !== "draft" || hasUploadBegun(draft)) return true;
  const metadata = await (await workspace.catalog()).listMetadata(version.id);
  return metadata.some(
    ({ attachment }) =>
      attachment !== null && attachmentSchema.parse(JSON.parse(attachment)).remote === remote.id,
  );
}

function sentAlready(draft: Draft, url: string): DatasetError<"conflict"> {
  const what = `${textOfDataset(draft.dataset)}@${draft.version.label}`;
  const message = `Cannot send "${what}" to ${url}: it belongs to ${draft.remote.remote.url}, where some of it lies already; varve squash with --remote copies a finished version`;
  return new DatasetError("conflict", { what }, message);
}
