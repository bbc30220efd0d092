/**
 * Lineage as the catalog knows it: who came from whom, at any depth, in one query however long the history is; and what
 * squashed versions were made from, which is no parent of theirs.
 */
import type { Kysely } from "kysely";

import type { Tables, VersionSourcesTable } from "./schema.js";
import { VERSION_COLUMNS, type VersionRow } from "./version-row.js";

/** A parent of a version; this catalog need not know either. */
export interface ParentEdge {
  versionId: string;
  parentId: string;
}

/** A version that another was squashed from, by the name it had then. It may be no more. */
export type SquashedSource = Pick<VersionSourcesTable, "sourceId" | "dataset" | "label">;

export interface Lineage {
  /** Parents of these versions and of all their ancestors, each version's in order. */
  ancestryOf(versionIds: readonly string[]): Promise<ParentEdge[]>;
  /** The versions among these ids that the catalog knows, in no order. */
  versionsById(ids: readonly string[]): Promise<VersionRow[]>;
  /** The versions that have this one among their ancestors, in any state, the one made first at the front. */
  descendantsOf(versionId: string): Promise<VersionRow[]>;
  /** What a version was squashed from, in order. */
  squashedFrom(versionId: string): Promise<SquashedSource[]>;
}

/** Ids in one query: databases take a few tens of thousands of values at the most. */
const IDS_AT_ONCE = 5_000;

export function lineage(db: Kysely<Tables>): Lineage {
  return {
    async ancestryOf(versionIds) {
      if (versionIds.length === 0) return [];
      const edges = db
        .withRecursive("ancestry(id)", (cte) =>
          cte
            .selectFrom("versionParents")
            .select("parentId as id")
            .where("versionId", "in", versionIds)
            .union(
              cte
                .selectFrom("versionParents as edge")
                .innerJoin("ancestry", "ancestry.id", "edge.versionId")
                .select("edge.parentId as id"),
            ),
        )
        .selectFrom("versionParents")
        .select(["versionId", "parentId"])
        .where((where) =>
          where.or([
            where("versionId", "in", versionIds),
            where("versionId", "in", where.selectFrom("ancestry").select("ancestry.id")),
          ]),
        );
      return edges.orderBy("versionId").orderBy("position").execute();
    },
    async versionsById(ids) {
      const found: VersionRow[] = [];
      for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
        const some = ids.slice(at, at + IDS_AT_ONCE);
        const rows = db.selectFrom("versions").select(VERSION_COLUMNS).where("id", "in", some);
        found.push(...(await rows.execute()));
      }
      return found;
    },
    descendantsOf: (versionId) =>
      db
        .withRecursive("descent(id)", (cte) =>
          cte
            .selectFrom("versionParents")
            .select("versionId as id")
            .where("parentId", "=", versionId)
            .union(
              cte
                .selectFrom("versionParents as edge")
                .innerJoin("descent", "descent.id", "edge.parentId")
                .select("edge.versionId as id"),
            ),
        )
        .selectFrom("versions")
        .select(VERSION_COLUMNS)
        .where("id", "in", (where) => where.selectFrom("descent").select("descent.id"))
        .orderBy("createdAtMs")
        .orderBy("labelOrder")
        .execute(),
    squashedFrom: (versionId) =>
      db
        .selectFrom("versionSources")
        .select(["sourceId", "dataset", "label"])
        .where("versionId", "=", versionId)
        .orderBy("position")
        .execute(),
  };
}

/** For who is in a transaction already. */
export async function setVersionSources(
  db: Kysely<Tables>,
  versionId: string,
  sources: readonly SquashedSource[],
): Promise<void> {
  await db.deleteFrom("versionSources").where("versionId", "=", versionId).execute();
  const rows = sources.map((source, position) => ({ versionId, position, ...source }));
  if (rows.length > 0) await db.insertInto("versionSources").values(rows).execute();
}
