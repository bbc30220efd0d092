/**
 * Holds a remote against what it should hold: every record, the catalog's versions, and of each version its listing, packs,
 * index segments and attachments; with `deep` every byte. What is wrong is told once, with the versions it costs, and
 * healed where that is asked for and can be done without guessing: whatever is put back has the hash it is named by.
 */
import type { VersionRow } from "../../catalog/catalog.js";
import type { RemoteId } from "../../content/chunk.js";
import { isDatasetError, messageOf } from "../../errors.js";
import type { ObjectKey } from "../../remote/remote.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { rebuildCatalog } from "../rebuild.js";
import { verifyContent } from "../verify/verify-content.js";
import { versionsIn } from "../versions-in.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import { checkBelongings } from "./check-belongings.js";
import { checkRecords } from "./check-records.js";
import { Healer } from "./healer.js";

export interface FsckOptions {
  /** Reads and hashes everything. Default false: only looks whether it is there, and large enough. */
  deep?: boolean | undefined;
  /** Heals what can be healed. Default false. */
  repair?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Told of each step in words. */
  onStep?: ((what: string) => void) | undefined;
}

export type ProblemKind =
  "record" | "catalog" | "root" | "range" | "pack" | "chunk" | "segment" | "attachment";

/** Something that is not as it should be. */
export interface Problem {
  what: ProblemKind;
  state: "missing" | "damaged" | "failed" | "different";
  /** URL of the remote it lies in, or should. */
  remote: string;
  /** The object; for `catalog` the record that tells otherwise. */
  key: ObjectKey;
  /** Bytes `[start, end)` of it, where only these are wrong. */
  start?: number | undefined;
  end?: number | undefined;
  /** In words. */
  problem: string;
  /** `project/name@label` of those that need it. */
  versions: string[];
  /** Whether it was healed, and from what; undefined where that was not tried or did not succeed. */
  healedFrom?: string | undefined;
  /** Why it was not healed, where that was tried. */
  unhealed?: string | undefined;
}

export interface Fscked {
  /** URL of the remote. */
  remote: string;
  versions: number;
  deep: boolean;
  problems: Problem[];
}

/** @throws {DatasetError} `cancelled`; what the remote throws when it cannot be asked at all */
export async function fsck(
  workspace: Workspace,
  opened: OpenedRemote,
  options: FsckOptions = {},
): Promise<Fscked> {
  const problems = new Problems();
  options.onStep?.("Reading records");
  const before = await checkRecords(workspace, opened, problems);
  if (options.repair && before.isCatalogBehind) await rebuildCatalog(workspace, [opened.remote.url]);
  const versions = await versionsIn(workspace, opened.id);
  for (const found of versions) await checkVersion(workspace, found, problems, options);
  if (options.repair) await new Healer(workspace, opened, versions, options).heal(problems.all);
  return {
    remote: opened.remote.url,
    versions: versions.length,
    deep: options.deep ?? false,
    problems: problems.all,
  };
}

/** Problems, each object's once, however many versions need it. */
export class Problems {
  readonly #byPlace = new Map<string, Problem>();

  get all(): Problem[] {
    return [...this.#byPlace.values()];
  }

  note(problem: Omit<Problem, "versions">, version?: string): void {
    const place = `${problem.what} ${problem.remote} ${problem.key} ${problem.start ?? ""}`;
    const known = this.#byPlace.get(place) ?? { ...problem, versions: [] };
    if (version !== undefined && !known.versions.includes(version)) known.versions.push(version);
    this.#byPlace.set(place, known);
  }
}

async function checkVersion(
  workspace: Workspace,
  found: FoundVersion,
  problems: Problems,
  options: FsckOptions,
): Promise<void> {
  const name = nameOfVersion(found);
  options.onStep?.(name);
  try {
    await checkContent(workspace, found.version, name, problems, options);
    await checkBelongings(workspace, found.version, name, problems);
  } catch (error) {
    if (!isDatasetError(error) || isDatasetError(error, "cancelled")) throw error;
    const key = found.version.rootKey ?? "";
    const { url: remote } = await workspace.remote(found.version.remoteId as RemoteId);
    problems.note({ what: "root", state: "failed", remote, key, problem: messageOf(error) }, name);
  }
}

async function checkContent(
  workspace: Workspace,
  version: VersionRow,
  name: string,
  problems: Problems,
  { deep = false, signal }: FsckOptions,
): Promise<void> {
  const { damaged } = await verifyContent(workspace, version, { by: deep ? "hash" : "size", signal });
  for (const { what, state, remote, key, start, end, problem } of damaged) {
    const part = what === "chunk" ? { start, end } : {};
    problems.note({ what, state, remote, key, problem, ...part }, name);
  }
}
