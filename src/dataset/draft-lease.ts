/** The lease of a draft: what it has sent, and the trees it is laid over, stay until it is completed or thrown away. */
import type { RemoteId } from "../content/chunk.js";
import { isDatasetError, messageOf } from "../errors.js";
import type { Remote } from "../remote/remote.js";
import { DRAFT_HOLD_MS, endLease, putLease } from "./collect/leases.js";
import { type StoredRoot, storedRootOf } from "./collect/stored-root.js";
import type { Draft } from "./draft.js";
import { hasUploadBegun } from "./upload-begun.js";
import { textOfDataset } from "./reference.js";
import type { Staging } from "./staging.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

const LEASED_IN = "leasedIn";
const LEASED_AT = "leasedAtMs";
const LAPSED = "leaseLapsed";
/** Asked for again only after that: a lease holds thirty times as long. */
const RENEW_MS = 86_400_000;

/** Begins the lease of a draft, or renews one that is a day old. A bundle is nobody else's, and has none. */
export async function holdDraft(workspace: Workspace, draft: Draft): Promise<void> {
  const { staging } = draft.tree;
  const atMs = staging.fact(LEASED_AT) as number | undefined;
  if (workspace.isOffline || (atMs !== undefined && Math.abs(Date.now() - atMs) < RENEW_MS)) return;
  const remotes = await remotesOfDraft(workspace, draft);
  staging.setFact(
    LEASED_IN,
    remotes.map(({ id }) => id),
  ); // Before: a lease that is there will be ended.
  for (const { id, remote } of remotes) {
    const terms = { id: draft.version.id, what: nameOf(draft), user: workspace.user, holdMs: DRAFT_HOLD_MS };
    const put = putLease(remote, { ...terms, roots: rootsIn(id, draft) });
    const done = await (id === draft.remote.id ? put : put.catch(onlyWarn(workspace, remote)));
    const shouldBeThere = atMs !== undefined || hasUploadBegun(draft);
    if (id === draft.remote.id && done === "begun" && shouldBeThere) staging.setFact(LAPSED, true);
  }
  staging.setFact(LEASED_AT, Date.now());
}

/** Whether what a draft had sent was held by no lease for a while. */
export function hasLeaseLapsed({ tree }: Draft): boolean {
  return tree.staging.fact(LAPSED) === true;
}

/** Ends what leases a draft has, as far as their remotes can be reached: others run out by themselves. */
export async function endDraftLease(
  workspace: Workspace,
  versionId: string,
  ids: readonly RemoteId[],
): Promise<void> {
  for (const id of ids)
    try {
      await endLease(await workspace.remote(id), versionId);
    } catch (error) {
      if (!isDatasetError(error)) throw error;
    }
}

/** The remotes in which a draft has a lease. */
export function leasedIn(staging: Staging): readonly RemoteId[] {
  return (staging.fact(LEASED_IN) as readonly RemoteId[] | undefined) ?? [];
}

/** The remote of a draft, then those of the trees it is laid over. */
export async function remotesOfDraft(
  workspace: Workspace,
  { remote, parents }: Draft,
): Promise<[OpenedRemote, ...OpenedRemote[]]> {
  const others = new Set(parents.map(({ version }) => version.remoteId as RemoteId));
  others.delete(remote.id);
  const opened = await Promise.all(
    [...others].map(async (id) => ({ id, remote: await workspace.remote(id) })),
  );
  return [remote, ...opened];
}

function rootsIn(remote: RemoteId, { parents }: Draft): StoredRoot[] {
  return parents.flatMap(({ version }) => storedRootOf(version)).filter((root) => root.remote === remote);
}

function nameOf({ dataset, version }: Draft): string {
  return `draft ${textOfDataset(dataset)}@${version.label}`;
}

/** Who may not write there is protected by its versions, and by the grace of its collectors. */
function onlyWarn({ notice }: Workspace, { url }: Remote): (error: unknown) => undefined {
  return (error) => {
    if (!isDatasetError(error)) throw error;
    notice(`Nothing tells ${url} that this draft needs it: ${messageOf(error)}`);
  };
}
