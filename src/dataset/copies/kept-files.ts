/** A read-only copy of a version as a folder of files: made once, compared with what was noted of it whenever it is asked for. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { currentBoot } from "../../cache/folder.js";
import type { ProcessMark } from "../../daemon/process.js";
import { bytesOfText } from "../../paths.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { openVersionTree } from "../version-tree.js";
import type { Workspace } from "../workspace.js";
import { type KeptCopy, keptCopy, makeRoom, readKept, writeKept } from "./copies-area.js";
import { CopyPool } from "./copy-pool.js";
import { noteUser } from "./copy-users.js";
import { FactsFile } from "./facts-file.js";
import { type CopyCounts, makeCopy } from "./make-copy.js";
import type { CopyOptions } from "./mutable-copy.js";
import { type CopySelection, isPartial, selectEntries } from "./selection.js";
import { waitForLock } from "./wait-for-lock.js";

/** The coarsest clock a kernel stamps files with: a change after it cannot have the ctime that was noted. */
const CLOCK_TICK_MS = 20;

/**
 * Makes the copy, or goes on with one that was cut off, or restores what was changed in it. Two who ask for the same do
 * the work once.
 *
 * @param user The process for whose life it is kept.
 * @throws {DatasetError} `cache-full`, `path-missing`, `bad-input`, `disk-full`; what the remote throws
 */
export async function makeKeptFiles(
  workspace: Workspace,
  found: FoundVersion,
  user: ProcessMark,
  options: CopyOptions,
): Promise<CopyCounts & { path: string }> {
  const cache = await workspace.cache();
  const tree = await openVersionTree(workspace, found.version);
  const selection = await selectEntries(cache, tree, options);
  const kept = keptCopy(workspace.home, keyOf(found.version.id, options));
  const reference = nameOfVersion(found);
  const { signal, maxWorkers, onProgress } = options;
  const onWait = () => workspace.notice(`Waiting for another process that makes the copy of ${reference}`);
  const lock = await waitForLock(kept.lock, { signal, onWait });
  const pool = new CopyPool(maxWorkers);
  let facts: FactsFile | undefined;
  try {
    const { treeDigest } = tree.root;
    const { files, bytes } = selection;
    const state = {
      format: 1,
      id: found.version.id,
      reference,
      treeDigest,
      boot: currentBoot(),
      files,
      bytes,
    } as const;
    const there = foundIn(kept, treeDigest);
    if (there === "nothing") makeRoom(workspace.home, kept.key, selection);
    writeKept(kept, { ...state, state: there === "as-noted" ? "whole" : "making", usedAtMs: Date.now() });
    noteUser(kept.users, user);
    mkdirSync(kept.files, { recursive: true, mode: 0o700 });
    facts = new FactsFile(kept.facts);
    const place = { root: bytesOfText(kept.files), device: statSync(kept.files).dev, replace: true };
    const counts = await makeCopy({
      cache,
      tree,
      selection,
      place,
      style: "read-only",
      found: there,
      facts,
      pool,
      signal,
      onProgress,
    });
    if (counts.writtenFiles > 0) await sleep(CLOCK_TICK_MS);
    writeKept(kept, { ...state, state: "whole", usedAtMs: Date.now() });
    return { path: kept.files, ...counts };
  } finally {
    facts?.close();
    await pool.close();
    lock.release();
  }
}

function foundIn(kept: KeptCopy, treeDigest: string): "nothing" | "as-noted" | "anything" {
  if (!existsSync(kept.files)) return "nothing";
  const state = readKept(kept);
  const isNoted = state?.treeDigest === treeDigest && state.boot === currentBoot() && existsSync(kept.facts);
  return isNoted ? "as-noted" : "anything";
}

/** One copy for each version, and for each part or choice of its files. */
function keyOf(id: string, options: CopySelection): string {
  if (!isPartial(options)) return id;
  const { files, globs, part, numParts, links } = options;
  const asked = JSON.stringify([files ?? null, globs ?? null, part ?? null, numParts ?? null, links ?? null]);
  return `${id}-${createHash("sha256").update(asked).digest("hex").slice(0, 12)}`;
}
