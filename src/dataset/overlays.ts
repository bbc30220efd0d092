/**
 * The overlays of this user: one folder each with the journal and data of a writable mount, and `overlay.json`, which
 * says whose changes they are and how far they have come. An overlay goes only after its commit point or on discard.
 */
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { type FileLock, tryLock } from "../file-lock.js";
import { isAlive, thisProcess } from "../daemon/process.js";
import { namesIn, readStateFile, refuseNewerState, writeStateFile } from "../daemon/state-file.js";
import { DatasetError, errnoOf } from "../errors.js";
import { isHiddenName } from "../fs/transport/fuse-native/translate.js";
import { type Home, ensureDir } from "../home.js";
import { newVersionId } from "./reference.js";

const OVERLAY_FORMAT = 1;

const schema = z.object({
  format: z.literal(OVERLAY_FORMAT),
  id: z.string(),
  /** The version mounted: what the overlay's changes are changes of. */
  base: z.string(),
  /** The version that the next commit is a child of: the one mounted, or the last live commit. */
  parent: z.string(),
  /** Label of the last live commit. */
  committed: z.string().optional(),
  dataset: z.string(),
  /** Label of the version mounted. */
  version: z.string(),
  mountpoint: z.string(),
  transport: z.enum(["kernel", "fuse-native"]),
  pid: z.number().int(),
  startTicks: z.number(),
  createdAtMs: z.number(),
  state: z.enum(["mounted", "detached", "committing", "uncommitted"]),
  /** The version a commit is being made as, so that one cut off after its record is not made twice. */
  commit: z.string().optional(),
  /** What the unmount asked of its commit, for the commit that makes up for one that failed. */
  asked: z
    .object({ message: z.string(), version: z.string(), tags: z.array(z.string()), publish: z.boolean() })
    .partial()
    .optional(),
  /** Why it is uncommitted. */
  reason: z.string().optional(),
});

export type OverlayState = z.infer<typeof schema>;

/** At the end of the name of a folder that is being removed. */
const REMOVED = ".removed";

/** Locks of the overlays that this process has: one that is killed gives them up. */
const locks = new Map<string, FileLock>();

/** Makes an overlay's folder for a mount of this process, which has it from then on. */
export function createOverlay(
  home: Home,
  facts: Pick<OverlayState, "base" | "dataset" | "version" | "mountpoint" | "transport">,
): OverlayState {
  const state: OverlayState = {
    format: OVERLAY_FORMAT,
    id: newVersionId().slice(0, 12),
    parent: facts.base,
    ...facts,
    ...thisProcess(),
    createdAtMs: Date.now(),
    state: "mounted",
  };
  ensureDir(overlayDirectory(home, state.id));
  lockOverlay(home, state);
  writeOverlay(home, state);
  return state;
}

/** Names that the transport made for itself: fuse-native hides files that are removed while open. */
export function leftOutBy({ transport }: OverlayState): (name: string) => boolean {
  return transport === "fuse-native" ? isHiddenName : () => false;
}

export function overlayDirectory(home: Home, id: string): string {
  return join(home.overlaysDir, id);
}

/** Writes down facts of an overlay that this process has; the others stay as they are. */
export function updateOverlay(home: Home, id: string, changes: Partial<OverlayState>): OverlayState {
  const state = readOverlay(home, id);
  if (!state) throw noSuchOverlay(id);
  const changed = { ...state, ...changes };
  writeOverlay(home, changed);
  return changed;
}

/** Every overlay there is, oldest first. */
export function listOverlays(home: Home): OverlayState[] {
  return namesIn(home.overlaysDir)
    .filter((name) => !name.endsWith(REMOVED))
    .flatMap((id) => readOverlay(home, id) ?? [])
    .sort((a, b) => a.createdAtMs - b.createdAtMs);
}

/** Overlays that nobody serves or commits: their mount's process is gone. */
export function abandonedOverlays(home: Home): OverlayState[] {
  return listOverlays(home).filter((overlay) => !isAlive(overlay));
}

/** One overlay by id or the start of one. @throws {DatasetError} `not-found`, `format-newer`, `bad-input` when several begin so */
export function findOverlay(home: Home, id: string): OverlayState {
  const found = listOverlays(home).filter((overlay) => overlay.id.startsWith(id));
  const [only] = found;
  if (only && found.length === 1) return only;
  if (only)
    throw new DatasetError(
      "bad-input",
      { value: id },
      `Cannot tell which overlay "${id}" is: several begin so`,
    );
  for (const name of namesIn(home.overlaysDir).filter((each) => each.startsWith(id)))
    refuseNewerState(stateFileOf(home, name), OVERLAY_FORMAT, `overlay "${name}"`);
  throw noSuchOverlay(id);
}

/**
 * Takes an overlay over into this process, until it is released or the process ends. Of several who try, one has it.
 *
 * @throws {DatasetError} `conflict` while another has it; `not-found` when it was committed or discarded meanwhile
 */
export function claimOverlay(
  home: Home,
  overlay: OverlayState,
  changes: Partial<OverlayState>,
): OverlayState {
  lockOverlay(home, overlay);
  try {
    return updateOverlay(home, overlay.id, { ...thisProcess(), ...changes });
  } catch (error) {
    unlock(overlay.id);
    throw error;
  }
}

/** Lets go of an overlay that stays, for `recover`. */
export function releaseOverlay(home: Home, id: string, changes: Partial<OverlayState>): void {
  try {
    updateOverlay(home, id, { ...changes, pid: 0, startTicks: 0 });
  } finally {
    unlock(id);
  }
}

/** Removes an overlay, all of it or nothing: it is no overlay any more once its folder has another name. */
export function removeOverlay(home: Home, id: string): void {
  const directory = overlayDirectory(home, id);
  renameSync(directory, directory + REMOVED);
  unlock(id);
  for (const name of namesIn(home.overlaysDir))
    if (name.endsWith(REMOVED)) rmSync(overlayDirectory(home, name), { recursive: true, force: true });
}

function writeOverlay(home: Home, state: OverlayState): void {
  writeStateFile(stateFileOf(home, state.id), state);
}

function readOverlay(home: Home, id: string): OverlayState | undefined {
  return readStateFile(stateFileOf(home, id), schema);
}

function stateFileOf(home: Home, id: string): string {
  return join(overlayDirectory(home, id), "overlay.json");
}

function lockOverlay(home: Home, overlay: OverlayState): void {
  const lock = locks.has(overlay.id) ? undefined : lockOf(home, overlay.id);
  if (!lock) throw inUse(readOverlay(home, overlay.id) ?? overlay);
  locks.set(overlay.id, lock);
}

function lockOf(home: Home, id: string): FileLock | undefined {
  try {
    return tryLock(join(overlayDirectory(home, id), "lock"));
  } catch (error) {
    throw errnoOf(error) === "ENOENT" ? noSuchOverlay(id) : error;
  }
}

function unlock(id: string): void {
  locks.get(id)?.release();
  locks.delete(id);
}

function noSuchOverlay(id: string): DatasetError<"not-found"> {
  const message = `Cannot find the overlay "${id}": varve recover lists those there are`;
  return new DatasetError("not-found", { what: id }, message);
}

function inUse({ id, mountpoint, state }: OverlayState): DatasetError<"conflict"> {
  const use =
    state === "mounted" || state === "detached"
      ? `serves "${mountpoint}", and commits once its files are closed`
      : "is at work on it";
  return new DatasetError(
    "conflict",
    { what: id },
    `Cannot take the overlay "${id}": another process ${use}`,
  );
}
