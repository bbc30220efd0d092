/**
 * What was done to versions and datasets, as numbered events, each written in the transaction of the change it tells of; and
 * how far each watcher has come. The counter's row is held until that transaction ends, so numbers become visible in
 * their order, and who reads after a number misses none.
 */
import type { Kysely } from "kysely";

import type { EventKind, EventsTable } from "./schema-of-events.js";
import type { Tables } from "./schema.js";

export type CatalogEvent = EventsTable;

export interface Events {
  /** The events after a number, in order, at most `limit`. */
  eventsAfter(number: number, limit: number): Promise<CatalogEvent[]>;
  /** The number of the last event; 0 for none. */
  lastEvent(): Promise<number>;
  /** The number of the last event a watcher is done with. A new watcher begins after `start`. */
  watcherPosition(watcher: string, start: number): Promise<number>;
  /** Moves a watcher on, unless another process has moved it meanwhile. @returns Whether it moved */
  advanceWatcher(watcher: string, from: number, to: number, problem?: string): Promise<boolean>;
  /** The events that a watcher's command failed for, in order. */
  watcherFailures(watcher: string): Promise<{ number: number; problem: string }[]>;
}

export function events(db: Kysely<Tables>, now: () => number): Events {
  return {
    eventsAfter: (number, limit) =>
      db
        .selectFrom("events")
        .selectAll()
        .where("number", ">", number)
        .orderBy("number")
        .limit(limit)
        .execute(),
    async lastEvent() {
      return (await db.selectFrom("eventCounter").select("last").executeTakeFirst())?.last ?? 0;
    },
    async watcherPosition(name, position) {
      await db
        .insertInto("watchers")
        .values({ name, position })
        .onConflict((known) => known.doNothing())
        .execute();
      const watcher = db.selectFrom("watchers").select("position").where("name", "=", name);
      return (await watcher.executeTakeFirstOrThrow()).position;
    },
    advanceWatcher: (watcher, from, to, problem) =>
      db.transaction().execute(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable("watchers")
          .set({ position: to })
          .where("name", "=", watcher)
          .where("position", "=", from)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        if (problem !== undefined)
          await trx
            .insertInto("watcherFailures")
            .values({ watcher, number: to, problem, atMs: now() })
            .execute();
        return true;
      }),
    watcherFailures: (watcher) =>
      db
        .selectFrom("watcherFailures")
        .select(["number", "problem"])
        .where("watcher", "=", watcher)
        .orderBy("number")
        .execute(),
  };
}

export interface Happening {
  kind: EventKind;
  datasetId: string;
  versionId?: string | undefined;
  tag?: string | undefined;
}

/** Appends an event, for who is in the transaction of the change. */
export async function appendEvent(
  db: Kysely<Tables>,
  { kind, datasetId, versionId, tag }: Happening,
): Promise<void> {
  const { last } = await db
    .insertInto("eventCounter")
    .values({ id: 1, last: 1 })
    .onConflict((known) =>
      known.column("id").doUpdateSet(({ eb }) => ({ last: eb("eventCounter.last", "+", 1) })),
    )
    .returning("last")
    .executeTakeFirstOrThrow();
  const dataset = await db
    .selectFrom("datasets")
    .innerJoin("projects", "projects.id", "datasets.projectId")
    .select(["projects.name as project", "datasets.name"])
    .where("datasets.id", "=", datasetId)
    .executeTakeFirstOrThrow();
  const version =
    versionId === undefined
      ? undefined
      : await db.selectFrom("versions").select("label").where("id", "=", versionId).executeTakeFirst();
  await db
    .insertInto("events")
    .values({
      number: last,
      kind,
      datasetId,
      ...dataset,
      versionId: versionId ?? null,
      label: version?.label ?? null,
      tag: tag ?? null,
      atMs: Date.now(),
    })
    .execute();
}
