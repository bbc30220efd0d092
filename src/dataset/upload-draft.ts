/** Uploads a draft: which chunks its lineage holds, and where the content of an overlay comes from. */
import type { ContentReader } from "../content/store.js";
import { DatasetError } from "../errors.js";
import type { Remote } from "../remote/remote.js";
import { withAttempts } from "../remote/with-retry.js";
import { type KnownChunks, knownChunks } from "./chunk-index.js";
import type { Draft } from "./draft.js";
import { listedAlready } from "./collect/collection.js";
import { holdDraft } from "./draft-lease.js";
import { noteUploadBegun } from "./upload-begun.js";
import { openStored } from "./stage-copy.js";
import { type UploadOptions, type UploadResult, uploadPending } from "./upload.js";
import type { Workspace } from "./workspace.js";

export interface UploadDraftOptions extends UploadOptions {
  /** Opens a file of the overlay that is being committed. */
  openOverlaid?: ((ino: number) => Promise<ContentReader>) | undefined;
}

/** Sends the content of every staged file that is not in the remote yet. Twice is the same as once. */
export async function uploadDraft(
  workspace: Workspace,
  draft: Draft,
  options: UploadDraftOptions = {},
): Promise<UploadResult> {
  if (draft.tree.staging.counts().pending === 0) return { files: 0, contentBytesSent: 0 };
  const cache = await workspace.cache();
  const remoteId = draft.remote.id;
  const remote = patient(draft.remote.remote, options.retries);
  const known = knownIn(draft, knownChunks(draft.segments, cache));
  const openOverlaid = options.openOverlaid ?? noOverlay;
  await holdDraft(workspace, draft);
  noteUploadBegun(draft);
  const distrusted = await listedAlready(remote);
  const result = await uploadPending(
    draft.tree,
    workspace.stamps(),
    { remote, remoteId, known, distrusted, openOverlaid, openStored: (file) => openStored(cache, file) },
    options,
  );
  draft.tree.staging.setFact(SENT, contentBytesSent(draft) + result.contentBytesSent);
  return result;
}

/** @throws {DatasetError} `bad-input` */
function patient(remote: Remote, retries: number | undefined): Remote {
  if (retries === undefined) return remote;
  if (Number.isSafeInteger(retries) && retries >= 0) return withAttempts(remote, retries + 1);
  const message = `Cannot try requests ${retries} times again: it must be a whole number of at least 0`;
  throw new DatasetError("bad-input", { value: String(retries) }, message);
}

/** What a copy need not send is what its own remote holds. */
function knownIn({ squash, remote }: Draft, known: KnownChunks): KnownChunks {
  if (!squash?.copies) return known;
  return async (hashes) =>
    new Map([...(await known(hashes))].filter(([, chunk]) => chunk.remote === remote.id));
}

/** Content bytes sent for a draft so far, by any process. */
export function contentBytesSent(draft: Draft): number {
  return Number(draft.tree.staging.fact(SENT) ?? 0);
}

const SENT = "contentBytesSent";

async function noOverlay(): Promise<never> {
  const message = "Cannot upload this draft: it is the commit of a mount; varve recover goes on with it";
  throw new DatasetError("uncommitted", { overlay: "" }, message);
}
