/**
 * Amendments beside the data: `datasets/<id>/amendments/<number>`, numbered from 1 without a gap, each created
 * conditionally. A catalog remembers how far it has read, so looking costs one listing from there on.
 */
import { type Change, encodeAmendment } from "../catalog/amendment.js";
import type { Dataset as DatasetRow, StoredAmendment } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { mapInOrder } from "../content/in-order.js";
import { DatasetError, isDatasetError } from "../errors.js";
import type { ObjectKey, Remote } from "../remote/remote.js";
import { attachmentKey } from "./attachments.js";
import type { Needs } from "./collect/commit-point.js";
import { DATASETS_PREFIX } from "./record.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

/** Wide enough that keys sort as their numbers do. */
const NUMBER_CHARS = 10;
/** Amendments are small: what costs is the way there and back. */
const READS_AT_ONCE = 32;
/** Each attempt that fails means that somebody else's amendment was written. */
const ATTEMPTS = 1_000;

/** Takes in what others have amended since this catalog last looked. Costs one listing, and a request an amendment. */
export async function takeAmendments(
  workspace: Workspace,
  { id: remoteId, remote }: OpenedRemote,
  dataset: DatasetRow,
): Promise<void> {
  const catalog = await workspace.catalog();
  const taken = await catalog.amendmentsTaken(dataset.id, remoteId);
  const found = await readAfter(remote, dataset.id, taken);
  const unknown = await catalog.takeAmendments(dataset.id, remoteId, found);
  for (const number of unknown)
    workspace.notice(
      `Passed over ${remote.url}/${amendmentKey(dataset.id, number)}: this varve does not understand it; a newer one will apply it`,
    );
}

/**
 * Writes an amendment under the next number, and takes it in: the object first, which is the point of truth, then the catalog.
 *
 * @throws {DatasetError} `remote-failed`, `remote-refused`, `offline`
 */
export async function writeAmendment(
  workspace: Workspace,
  opened: OpenedRemote,
  dataset: DatasetRow,
  { id, change }: { id: string; change: Change },
  needed: Needed = attachmentsOf(workspace, change),
): Promise<void> {
  const catalog = await workspace.catalog();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await takeAmendments(workspace, opened, dataset);
    const number = (await catalog.amendmentsTaken(dataset.id, opened.id)) + 1;
    const stampMs = Math.max(Date.now(), (await catalog.lastStamp(dataset.id)) + 1);
    const content = encodeAmendment({ id, dataset: dataset.id, by: workspace.user, stampMs, change });
    const key = amendmentKey(dataset.id, number);
    const write = () => isWritten(opened.remote, key, content);
    if (!(await whenNeedsStay(workspace, opened, { key, dataset: dataset.id, ...needed }, write))) continue;
    await catalog.takeAmendments(dataset.id, opened.id, [{ number, content }]);
    return;
  }
  const message = `Cannot amend "${dataset.project}/${dataset.name}" in ${opened.remote.url}: others wrote first, ${ATTEMPTS} times; try again`;
  throw new DatasetError("conflict", { what: opened.remote.url }, message);
}

/** What an amendment names that nobody else may hold. */
interface Needed {
  /** The lease it was put under. */
  lease: string | undefined;
  /** Undefined where it names nothing. */
  needs: (() => Promise<Needs>) | undefined;
}

function attachmentsOf(workspace: Workspace, change: Change): Needed {
  const isNaming = change.kind === "annex" || (change.kind === "metadata" && change.set.length > 0);
  return { lease: undefined, needs: isNaming ? () => needsOfChange(workspace, change) : undefined };
}

/** Runs `write` when what an amendment names is there to stay. @throws {DatasetError} `collected` */
async function whenNeedsStay(
  workspace: Workspace,
  opened: OpenedRemote,
  { key, dataset, lease, needs }: { key: ObjectKey; dataset: string } & Needed,
  write: () => Promise<boolean>,
): Promise<boolean> {
  if (!needs || workspace.isOffline) return write();
  const { atCommitPoint } = await import("./collect/commit-point.js");
  const point = { kind: "amendment" as const, key, dataset };
  return atCommitPoint(workspace, { remotes: [opened], point, lease, needs }, write);
}

async function needsOfChange(workspace: Workspace, change: Change): Promise<Needs> {
  const needs = new Map<RemoteId, Set<ObjectKey>>();
  const { attachmentsOfChange } = await import("./collect/attachments-of.js");
  for await (const { remote, sha256, brotli } of attachmentsOfChange(await workspace.cache(), change)) {
    const keys = needs.get(remote) ?? new Set();
    needs.set(remote, keys.add(attachmentKey(brotli?.sha256 ?? sha256)));
  }
  return needs;
}

/** Whether this content lies under the key after this: somebody else's may be there. */
async function isWritten(remote: Remote, key: ObjectKey, content: string): Promise<boolean> {
  try {
    await remote.create(key, Buffer.from(content));
    return true;
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
    return (await readText(remote, key)) === content; // A create whose answer was lost is made again, and finds itself.
  }
}

async function readAfter(remote: Remote, dataset: string, number: number): Promise<StoredAmendment[]> {
  const numbers: number[] = [];
  const after = amendmentKey(dataset, number);
  for await (const { key } of remote.list(amendmentPrefix(dataset), { after })) {
    const digits = key.slice(key.lastIndexOf("/") + 1);
    if (/^\d{10}$/.test(digits)) numbers.push(Number(digits));
  }
  const found: StoredAmendment[] = [];
  const read = async (number: number) => ({
    number,
    content: await readText(remote, amendmentKey(dataset, number)),
  });
  for await (const one of mapInOrder(numbers, READS_AT_ONCE, read)) found.push(one);
  return found;
}

async function readText(remote: Remote, key: ObjectKey): Promise<string> {
  return Buffer.from(await remote.readWhole(key)).toString("utf8");
}

function amendmentKey(dataset: string, number: number): ObjectKey {
  return `${amendmentPrefix(dataset)}${String(number).padStart(NUMBER_CHARS, "0")}`;
}

function amendmentPrefix(dataset: string): string {
  return `${DATASETS_PREFIX}${dataset}/amendments/`;
}
