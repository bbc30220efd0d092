/** The tables of events and of those who watch for them, as `schema.ts` has the others. */

export type EventKind = "completed" | "published" | "tagged" | "archived";

export interface EventTables {
  eventCounter: EventCounterTable;
  events: EventsTable;
  watchers: WatchersTable;
  watcherFailures: WatcherFailuresTable;
}

/** At most one row, of id 1: the number of the last event. Whoever writes an event holds it until its transaction ends. */
export interface EventCounterTable {
  id: number;
  last: number;
}

/** What was done, by the names of then. `versionId` and `label` are null where it was done to a whole dataset. */
export interface EventsTable {
  number: number;
  kind: EventKind;
  datasetId: string;
  project: string;
  name: string;
  versionId: string | null;
  label: string | null;
  /** Of `tagged`. */
  tag: string | null;
  atMs: number;
}

/** `position` is the number of the last event that this watcher is done with. */
export interface WatchersTable {
  name: string;
  position: number;
}

/** Events that a watcher's command failed for, as often as it was tried. */
export interface WatcherFailuresTable {
  watcher: string;
  number: number;
  problem: string;
  atMs: number;
}
