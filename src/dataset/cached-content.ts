/** Bringing a version, or some paths of it, into the cache, and having it stay there: prefetch, pin, unpin. */
import { userInfo } from "node:os";
import * as z from "zod";

import type { Pin } from "../cache/pin-index.js";
import { DatasetError } from "../errors.js";
import { pathOfText, textOf } from "../paths.js";
import { type FoundVersion, nameOfVersion } from "./history.js";
import { localHashes } from "./local-content.js";
import { locateVersion } from "./remote-reference.js";
import { rememberVersion } from "./remembered-versions.js";
import { openVersionTree, rootBlockOf } from "./version-tree.js";
import { type WarmOptions, warm } from "./warm.js";
import type { Workspace } from "./workspace.js";

const pinSchema = z.object({
  /** `project/name@label`. */
  reference: z.string(),
  /** Of the version. */
  id: z.string(),
  /** As text; the empty one is all of the version. */
  paths: z.array(z.string()),
});

/** What a pin is of. */
export type PinFacts = z.infer<typeof pinSchema>;

export interface Warmed extends PinFacts {
  /** What it measures, its listing included. */
  bytes: number;
  fetchedBytes: number;
  requests: number;
}

/** A version held in the cache until this process, or another that it is passed to, ends or releases. */
export interface HeldVersion {
  warmed: Warmed;
  pin: number;
  release(): void;
}

export interface PathOptions extends WarmOptions {
  /** Files and folders of the version. Default: all of it. */
  paths?: readonly string[] | undefined;
}

/**
 * Fetches what the cache lacks of a version. What is there is not fetched again, nor what an earlier call that was cut
 * off has fetched.
 *
 * @throws {DatasetError} `cache-full` before anything is fetched; `path-missing`; `version-unfinished`; what the remote throws
 */
export async function prefetchVersion(
  workspace: Workspace,
  found: FoundVersion,
  options: PathOptions = {},
): Promise<Warmed> {
  const held = await holdVersion(workspace, found, options);
  held.release();
  return held.warmed;
}

/** As `prefetchVersion`, and none of it is evicted until it is released. */
export async function holdVersion(
  workspace: Workspace,
  found: FoundVersion,
  options: PathOptions = {},
): Promise<HeldVersion> {
  const pins = workspace.housekeeping().pins;
  const facts = pinFacts(found, options.paths);
  const holder = workspace.housekeeping().hold({ use: "prefetch", ...holderFacts(facts.reference) });
  let pin: number | undefined;
  const release = () => {
    if (pin !== undefined) pins.dropHeld(pin, holder.id);
    holder.release();
  };
  try {
    const begin = () => (pin = pins.begin(`${holder.id}:${facts.id}`, facts, holder.id));
    return { warmed: await warmVersion(workspace, found, facts, begin, options), pin: pin!, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Fetches a version and keeps it in the cache until `unpinVersion`, whatever else is read. One pin for each path. */
export async function pinVersion(
  workspace: Workspace,
  found: FoundVersion,
  { paths = [""], ...options }: PathOptions = {},
): Promise<Warmed[]> {
  const { pins } = workspace.housekeeping();
  const pinned: Warmed[] = [];
  for (const path of paths) {
    const facts = pinFacts(found, [path]);
    const begin = () => pins.begin(pinName(facts), facts, null);
    pinned.push(await warmVersion(workspace, found, facts, begin, options));
  }
  return pinned;
}

/**
 * Pins what is in the cache of a version for a holder, and fetches nothing. Takes its time with a large version.
 *
 * @throws {DatasetError} `cache-full` when other pins leave no room; what was pinned before that stays pinned
 */
export async function pinLocal(workspace: Workspace, found: FoundVersion, holder: string): Promise<void> {
  const { pins } = workspace.housekeeping();
  const facts = pinFacts(found);
  const pin = pins.begin(`${holder}:${facts.id}`, facts, holder);
  for await (const hashes of localHashes(await workspace.cache(), found.version))
    pins.cover(pin, hashes, workspace.home.cacheBytes);
}

/**
 * Takes away pins of a version: those of these paths, or all. Gives what they were of.
 *
 * @param reference As the pins say, or else whatever means the version.
 * @throws {DatasetError} `not-found` when there are none
 */
export async function unpinVersion(
  workspace: Workspace,
  reference: string,
  paths?: readonly string[],
): Promise<PinFacts[]> {
  const { pins } = workspace.housekeeping();
  const kept = pins.list().filter(({ holder }) => holder === null);
  const isNamed = (pin: Pin) => [factsOfPin(pin).reference, factsOfPin(pin).id].includes(reference);
  // So that pins can go though nothing but the cache knows their version any more.
  const id = kept.some(isNamed) ? undefined : (await locateVersion(workspace, reference)).found.version.id;
  const ofVersion = kept.filter((pin) => (id === undefined ? isNamed(pin) : factsOfPin(pin).id === id));
  const wanted = paths?.map(normal);
  const asked = ofVersion.filter((pin) => !wanted || wanted.includes(factsOfPin(pin).paths[0] ?? ""));
  const gone = asked.filter((pin) => pins.drop(pin.id));
  if (gone.length === 0) throw notPinned(reference);
  return gone.map(factsOfPin);
}

/** What a pin is of, as far as it says so: others may write to a shared cache. */
export function factsOfPin({ name, facts }: Pin): PinFacts {
  return pinSchema.safeParse(facts).data ?? { reference: name, id: "", paths: [] };
}

/** What a holder says of itself to who looks at the cache. */
export function holderFacts(reference: string): {
  reference: string;
  pid: number;
  user: string;
  sinceMs: number;
} {
  return { reference, pid: process.pid, user: userInfo().username, sinceMs: Date.now() };
}

async function warmVersion(
  workspace: Workspace,
  found: FoundVersion,
  facts: PinFacts,
  pin: () => number,
  options: WarmOptions,
): Promise<Warmed> {
  const { version } = found;
  const cache = await workspace.cache();
  workspace.housekeeping().dropDeadPins();
  const before = cache.stats().fetched;
  const tree = await openVersionTree(workspace, version);
  const bytes = await warm(
    {
      tree,
      root: rootBlockOf(version),
      paths: facts.paths.map(pathOfText),
      cache,
      pins: workspace.housekeeping().pins,
      maxBytes: workspace.home.cacheBytes,
      pin,
    },
    options,
  );
  await rememberVersion(workspace, found);
  const { bytes: fetchedBytes, requests } = cache.stats().fetched;
  return { ...facts, bytes, fetchedBytes: fetchedBytes - before.bytes, requests: requests - before.requests };
}

function pinFacts(found: FoundVersion, paths: readonly string[] = [""]): PinFacts {
  return { reference: nameOfVersion(found), id: found.version.id, paths: paths.map(normal) };
}

function pinName({ id, paths }: Pick<PinFacts, "id" | "paths">): string {
  return `${id}:${paths[0]}`;
}

/** `./a/b/` is `a/b`. @throws {DatasetError} `bad-input` */
function normal(path: string): string {
  return textOf(pathOfText(path));
}

function notPinned(reference: string): DatasetError<"not-found"> {
  const message = `Cannot unpin "${reference}": nothing of that kind is pinned; varve cache status lists the pins`;
  return new DatasetError("not-found", { what: reference }, message);
}
