/**
 * The file of a draft, which lies beside its row in the catalog: made before the row and taken away after it, so that a row
 * never lacks its file. A process that is killed between the two leaves a file, which `transient-drafts.ts` takes away.
 */
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { type FileLock, tryLock } from "../file-lock.js";
import type { Home } from "../home.js";
import { endDraftLease, leasedIn } from "./draft-lease.js";
import { type StagedFacts, Staging } from "./staging.js";
import { hasLostItsProcess, isTransient, markTransient } from "./transient-mark.js";
import type { Workspace } from "./workspace.js";

/** Which catalog a file's draft stands in: users may have several. */
const CATALOG = "catalog";

const LOCK_WAIT_MS = 10_000;
const LOCK_PAUSE_MS = 5;

/**
 * Makes the file, with what must be known of the draft from its start on, marked as this process's own, and then the row.
 * Until then it has the file's lock, so that nobody takes it for one that was left behind.
 *
 * @throws {DatasetError} what `reserve` throws: there is no file then; `conflict` where there is one of that id already
 */
export async function withDraftFile<T>(
  workspace: Workspace,
  id: string,
  facts: StagedFacts,
  reserve: (id: string) => Promise<T>,
): Promise<T> {
  const file = workspace.draftFile(id);
  const lock = await lockOfNew(file, id);
  try {
    begin(file, { ...facts, [CATALOG]: markOf(workspace.home) });
    return await reserve(id);
  } catch (error) {
    removeDraftFile(file);
    throw error;
  } finally {
    lock.release();
  }
}

/** Who sweeps may have it for a moment, to see that there is no file. */
async function lockOfNew(file: string, id: string): Promise<FileLock> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  while (!existsSync(file)) {
    const lock = tryLock(draftLockOf(file));
    if (lock) return lock;
    if (performance.now() > deadline) break;
    await sleep(LOCK_PAUSE_MS);
  }
  throw beingMade(id);
}

function begin(file: string, facts: StagedFacts): void {
  const staging = Staging.open(file);
  try {
    staging.transaction(() => {
      for (const [name, value] of Object.entries(facts)) staging.setFact(name, value);
      markTransient(staging);
    });
  } finally {
    staging.close();
  }
}

/**
 * Whether a file without a row in the catalog of `home` is of no use: its row would have stood there, and nobody is about
 * to make it; or it was cut off before it had any facts.
 */
export function isLeftBehind(staging: Staging, home: Home): boolean {
  const catalog = staging.fact(CATALOG);
  // Files of before 0.2 do not say which catalog is theirs, but all say who chose the label.
  if (catalog === undefined) return staging.fact("labelAutomatic") === undefined;
  return catalog === markOf(home) && (!isTransient(staging) || hasLostItsProcess(staging));
}

/** No URL: that may hold a password. */
function markOf({ catalogPath }: Home): string {
  return createHash("sha256").update(catalogPath).digest("hex").slice(0, 16);
}

/** Throws a draft away that is not open, also where an earlier attempt was cut off. */
export async function forgetDraft(workspace: Workspace, versionId: string): Promise<void> {
  const catalog = await workspace.catalog();
  await catalog.transition(versionId, ["draft", "committing", "failed"], "failed");
  await catalog.deleteVersion(versionId);
  const leased = leasesOfFile(workspace.draftFile(versionId));
  removeDraftFile(workspace.draftFile(versionId));
  await endDraftLease(workspace, versionId, leased);
}

/** A staging file may be gone, or damaged, where a draft was made elsewhere or cut off. */
function leasesOfFile(file: string): readonly RemoteId[] {
  if (!existsSync(file)) return [];
  try {
    const staging = Staging.open(file);
    const leased = leasedIn(staging);
    staging.close();
    return leased;
  } catch (error) {
    if (isDatasetError(error)) return [];
    throw error;
  }
}

export function removeDraftFile(file: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true });
  rmSync(draftLockOf(file), { force: true });
}

/** The file whose lock those who fill a draft share, and who ends it has alone (`draft-lock.ts`). */
export function draftLockOf(file: string): string {
  return `${file}-lock`;
}

function beingMade(id: string): DatasetError<"conflict"> {
  const message = `Cannot make the version ${id}: there is a draft of it on this machine already`;
  return new DatasetError("conflict", { what: id }, message);
}
