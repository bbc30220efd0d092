/**
 * Follows what happens to versions, in this catalog and in the remotes of its datasets. A named watcher goes on where it
 * stopped, whatever happened meanwhile: its position is in the catalog, and moves on only after an event was dealt with.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Catalog, CatalogEvent } from "../catalog/catalog.js";
import type { EventKind } from "../catalog/schema-of-events.js";
import { DatasetError } from "../errors.js";
import { refresh } from "./history.js";
import { type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

export type { EventKind } from "../catalog/schema-of-events.js";

export interface WatchOptions extends WithWorkspace {
  /** Which events. Default: all. */
  on?: readonly EventKind[] | undefined;
  /** This project and those below it. */
  project?: string | undefined;
  /** A regular expression that is found somewhere in the name. */
  name?: string | RegExp | undefined;
  /** `tagged` with it; of other events, the version or its dataset has it. */
  tag?: string | undefined;
  /** Name of the watcher, which goes on where it stopped. Default: none, and nothing is remembered. */
  as?: string | undefined;
  /** Where a watcher begins that has no position yet. Default `now`. */
  from?: "now" | "start" | undefined;
  /** How long to wait between two looks, in ms, 100 to 3,600,000. Default 5,000. */
  intervalMs?: number | undefined;
  /** Ends the iteration, after the event that is being dealt with. */
  signal?: AbortSignal | undefined;
}

export interface WatchEvent {
  /** Its number in this catalog: the same when an event is told again after a crash. */
  event: number;
  kind: EventKind;
  project: string;
  name: string;
  /** Of the version; undefined where it happened to a whole dataset. */
  id: string | undefined;
  /** `project/name@label`, or `project/name` of a whole dataset. */
  reference: string;
  tag: string | undefined;
  /** Notes that it could not be dealt with; the watcher goes on all the same. */
  fail(problem: string): void;
}

const DEFAULT_INTERVAL_MS = 5_000;
const EVENTS_AT_ONCE = 100;

/**
 * Events, one after another. One is done with when the next is asked for; who leaves before, or is killed, is given it again.
 * Changes that others make are seen at the next look at the remotes of the datasets this catalog knows.
 *
 * @throws {DatasetError} `conflict` when another process watches under the same name; `bad-input`
 */
export async function* watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, undefined> {
  const workspace = options.workspace ?? defaultWorkspace();
  const { as, from = "now", intervalMs = DEFAULT_INTERVAL_MS, signal } = options;
  if (!(intervalMs >= 100 && intervalMs <= 3_600_000)) throw badInterval(intervalMs);
  const wants = filterOf(options);
  const catalog = await workspace.catalog();
  const start = from === "now" ? await catalog.lastEvent() : 0;
  let position = as === undefined ? start : await catalog.watcherPosition(as, start);
  while (!signal?.aborted) {
    await lookAtRemotes(workspace, options);
    const found = await catalog.eventsAfter(position, EVENTS_AT_ONCE);
    for (const event of found) {
      if (signal?.aborted) return;
      const told = toldOf(event);
      if (await wants(catalog, event)) yield told;
      if (as !== undefined && !(await catalog.advanceWatcher(as, position, event.number, told.problem)))
        throw watchedTwice(as);
      position = event.number;
    }
    if (found.length === 0) await pause(intervalMs, signal);
  }
}

async function lookAtRemotes(workspace: Workspace, { project, signal }: WatchOptions): Promise<void> {
  const datasets = await (await workspace.catalog()).listDatasets({ archived: true });
  for (const dataset of datasets) {
    if (signal?.aborted) return;
    if (isInProject(dataset.project, project)) await refresh(workspace, dataset);
  }
}

type Filter = (catalog: Catalog, event: CatalogEvent) => Promise<boolean>;

/** @throws {DatasetError} `bad-input` for what is no regular expression */
function filterOf({ on, project, name, tag }: WatchOptions): Filter {
  const names = name === undefined ? undefined : regExpOf(name);
  return async (catalog, event) =>
    (on === undefined || on.includes(event.kind)) &&
    isInProject(event.project, project) &&
    (names?.test(event.name) ?? true) &&
    (tag === undefined || (await hasTag(catalog, event, tag)));
}

async function hasTag(catalog: Catalog, event: CatalogEvent, tag: string): Promise<boolean> {
  if (event.kind === "tagged") return event.tag === tag;
  const own = event.versionId === null ? [] : await catalog.versionTags(event.versionId);
  return own.includes(tag) || (await catalog.datasetTags(event.datasetId)).includes(tag);
}

function isInProject(project: string, wanted: string | undefined): boolean {
  return wanted === undefined || project === wanted || project.startsWith(`${wanted}/`);
}

/** `g` and `y` would make it remember where it was. @throws {DatasetError} `bad-input` */
function regExpOf(pattern: string | RegExp): RegExp {
  try {
    return typeof pattern === "string"
      ? new RegExp(pattern, "u")
      : new RegExp(pattern, pattern.flags.replace(/[gy]/g, ""));
  } catch (cause) {
    const value = String(pattern);
    throw new DatasetError("bad-input", { value }, `Cannot watch names like ${JSON.stringify(value)}`, {
      cause,
    });
  }
}

function toldOf(event: CatalogEvent): WatchEvent & { problem: string | undefined } {
  const { number, kind, project, name, versionId, label, tag } = event;
  const dataset = `${project}/${name}`;
  const told: WatchEvent & { problem: string | undefined } = {
    event: number,
    kind,
    project,
    name,
    id: versionId ?? undefined,
    reference: label === null ? dataset : `${dataset}@${label}`,
    tag: tag ?? undefined,
    problem: undefined,
    fail(problem) {
      told.problem = problem;
    },
  };
  return told;
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

function watchedTwice(name: string): DatasetError<"conflict"> {
  const what = `watcher "${name}"`;
  const message = `Cannot go on as the ${what}: another process watches under that name, too`;
  return new DatasetError("conflict", { what }, message);
}

function badInterval(intervalMs: number): DatasetError<"bad-input"> {
  const message = `Cannot look every ${intervalMs} ms: give 100 to 3,600,000`;
  return new DatasetError("bad-input", { value: String(intervalMs) }, message);
}
