/** Of `varve mount`: a version that the command itself has to find, since it is fetched first, or no remote may be asked. */
import { type HeldVersion, holdVersion } from "../../dataset/cached-content.js";
import { tellOfHeads } from "../../dataset/heads.js";
import { type FoundVersion, nameOfVersion } from "../../dataset/history.js";
import { locateVersion, takeIn } from "../../dataset/remote-reference.js";
import { rootBlockOf } from "../../dataset/version-tree.js";
import type { Workspace } from "../../dataset/workspace.js";
import { DatasetError } from "../../errors.js";
import type { Context } from "../context.js";
import { warming } from "./prefetch.js";

export interface FindArguments {
  writable: boolean;
  prefetch: boolean;
}

export interface FoundHere {
  /** Undefined: all versions. */
  found: FoundVersion | undefined;
  /** Names of heads beside it. */
  unmerged: readonly string[];
  /** With `prefetch`: what keeps it in the cache until the mount does. */
  held: HeldVersion | undefined;
}

/** @throws {DatasetError} as `locateVersion`; `offline`; what prefetching throws */
export async function findHere(
  context: Context,
  reference: string | undefined,
  { writable, prefetch }: FindArguments,
): Promise<FoundHere> {
  if (reference === undefined && prefetch) throw notAll();
  if (reference === undefined) return { found: undefined, unmerged: [], held: undefined };
  const { found, unmerged } = await find(context.workspace, reference, writable);
  if (context.workspace.isOffline && !writable) await requireRoot(context.workspace, found);
  const held = prefetch
    ? await warming(context, "Fetching", (options) => holdVersion(context.workspace, found, options))
    : undefined;
  return { found, unmerged, held };
}

/** A version to be written over must be in the catalog: its child will name it. */
async function find(asking: Workspace, reference: string, writable: boolean) {
  const { workspace, found } = writable
    ? { workspace: asking, found: await takeIn(asking, reference) }
    : await locateVersion(asking, reference);
  return { found, unmerged: await tellOfHeads(workspace, reference, found.dataset) };
}

/** @throws {DatasetError} `offline` when not even the root of the version is in the cache */
async function requireRoot(workspace: Workspace, found: FoundVersion): Promise<void> {
  const root = rootBlockOf(found.version);
  if ((await workspace.cache()).local.get(root.hash)) return;
  const name = nameOfVersion(found);
  const message = `Cannot mount "${name}" offline: it is not in the cache; varve prefetch ${name} fetches it`;
  throw new DatasetError("offline", { what: name }, message);
}

function notAll(): DatasetError<"bad-input"> {
  const message = "Cannot fetch all versions first: --prefetch is for the mount of one";
  return new DatasetError("bad-input", { value: "--prefetch" }, message);
}
