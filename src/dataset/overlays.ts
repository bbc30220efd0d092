/**
 * The overlays of this user: one folder each with the journal and data of a writable mount, and `overlay.json`, which
 * says whose changes they are and how far they have come. An overlay goes only after its commit point or on discard.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type ProcessMark, isAlive, thisProcess } from "../daemon/process.js";
import { namesIn, readStateFile, writeStateFile } from "../daemon/state-file.js";
import { DatasetError } from "../errors.js";
import { type Home, ensureDir } from "../home.js";
import { newVersionId } from "./reference.js";

const schema = z.object({
  format: z.literal(1),
  id: z.string(),
  /** The version mounted: what the overlay's changes are changes of. */
  base: z.string(),
  /** The version that the next commit is a child of: the one mounted, or the last live commit. */
  parent: z.string(),
  dataset: z.string(),
  /** Label of the version mounted. */
  version: z.string(),
  mountpoint: z.string(),
  pid: z.number().int(),
  startTicks: z.number(),
  createdAtMs: z.number(),
  state: z.enum(["mounted", "detached", "committing", "uncommitted"]),
  /** The version a commit is being made as, so that one cut off after its record is not made twice. */
  commit: z.string().optional(),
  /** Why it is uncommitted. */
  reason: z.string().optional(),
});

export type OverlayState = z.infer<typeof schema>;

/** Makes an overlay's folder for a mount of this process. */
export function createOverlay(
  home: Home,
  facts: Pick<OverlayState, "base" | "dataset" | "version" | "mountpoint">,
): OverlayState {
  const state: OverlayState = {
    format: 1,
    id: newVersionId().slice(0, 12),
    parent: facts.base,
    ...facts,
    ...thisProcess(),
    createdAtMs: Date.now(),
    state: "mounted",
  };
  ensureDir(overlayDirectory(home, state.id));
  writeOverlay(home, state);
  return state;
}

export function overlayDirectory(home: Home, id: string): string {
  return join(home.overlaysDir, id);
}

export function writeOverlay(home: Home, state: OverlayState): void {
  writeStateFile(join(overlayDirectory(home, state.id), "overlay.json"), state);
}

/** Every overlay there is, oldest first. */
export function listOverlays(home: Home): OverlayState[] {
  return namesIn(home.overlaysDir)
    .flatMap((id) => readStateFile(join(overlayDirectory(home, id), "overlay.json"), schema) ?? [])
    .sort((a, b) => a.createdAtMs - b.createdAtMs);
}

/** Overlays that nobody serves or commits: their mount's process is gone. */
export function abandonedOverlays(home: Home): OverlayState[] {
  return listOverlays(home).filter((overlay) => !isAlive(overlay));
}

/** One overlay by id or the start of one. @throws {DatasetError} `not-found`, `bad-input` when several begin so */
export function findOverlay(home: Home, id: string): OverlayState {
  const found = listOverlays(home).filter((overlay) => overlay.id.startsWith(id));
  const [only] = found;
  if (only && found.length === 1) return only;
  if (only) throw new DatasetError("bad-input", { value: id }, `Cannot tell which overlay "${id}" is: several begin so`);
  const message = `Cannot find the overlay "${id}": varve recover lists those there are`;
  throw new DatasetError("not-found", { what: id }, message);
}

/** Takes an overlay over into this process. @throws {DatasetError} `conflict` while another process has it */
export function claimOverlay(home: Home, overlay: OverlayState, state: OverlayState["state"]): OverlayState {
  if (isAlive(overlay) && overlay.pid !== process.pid) {
    const message = `Cannot take the overlay "${overlay.id}": process ${overlay.pid} still serves "${overlay.mountpoint}", and commits once its files are closed`;
    throw new DatasetError("conflict", { what: overlay.id }, message);
  }
  const claimed: OverlayState = { ...overlay, ...(thisProcess() satisfies ProcessMark), state };
  writeOverlay(home, claimed);
  return claimed;
}

export function removeOverlay(home: Home, id: string): void {
  rmSync(overlayDirectory(home, id), { recursive: true, force: true });
}
