/** Looking for versions by what they are called, their state and their tags, across datasets. Nothing here writes. */
import type { Kysely } from "kysely";

import { canonicalLabel } from "./label.js";
import type { Tables, VersionState } from "./schema.js";
import { VERSION_COLUMNS, type VersionRow } from "./version-row.js";

/** Each part narrows; what is left out does not. */
export interface VersionSearch {
  /** Ids of the datasets to look into; at most some thousands. */
  datasets: readonly string[];
  ids?: readonly string[] | undefined;
  states: readonly VersionState[];
  /** Default false: none that are archived. */
  archived?: boolean | undefined;
  /** Finds the version whose label means the same. */
  label?: string | undefined;
  /** The version or its dataset has each of them. */
  tags?: readonly string[] | undefined;
  /** Neither the version nor its dataset has one of them. */
  withoutTags?: readonly string[] | undefined;
}

export interface VersionSearches {
  /** The versions that fit, the lowest label of each dataset first; datasets mixed. @throws {DatasetError} `bad-input` for a label */
  searchVersions(search: VersionSearch): Promise<VersionRow[]>;
  /** The tags of each of these versions, sorted; of one without tags there is no entry. */
  tagsOfVersions(ids: readonly string[]): Promise<Map<string, string[]>>;
}

/** A statement takes a bounded number of values. */
const IDS_AT_ONCE = 500;

export function versionSearches(db: Kysely<Tables>): VersionSearches {
  return {
    searchVersions(search) {
      const { datasets, ids, states, archived = false, label, tags = [], withoutTags = [] } = search;
      let rows = db
        .selectFrom("versions")
        .select(VERSION_COLUMNS)
        .where("datasetId", "in", datasets)
        .where("state", "in", states)
        .orderBy("labelOrder");
      if (!archived) rows = rows.where("archived", "=", 0);
      if (ids) rows = rows.where("id", "in", ids);
      if (label !== undefined) rows = rows.where("canonicalLabel", "=", canonicalLabel(label));
      for (const tag of tags)
        rows = rows.where((where) =>
          where.or([
            where("id", "in", versionsTagged(db, tag)),
            where("datasetId", "in", datasetsTagged(db, tag)),
          ]),
        );
      for (const tag of withoutTags)
        rows = rows
          .where("id", "not in", versionsTagged(db, tag))
          .where("datasetId", "not in", datasetsTagged(db, tag));
      return rows.execute();
    },
    async tagsOfVersions(ids) {
      const tags = new Map<string, string[]>();
      for (let start = 0; start < ids.length; start += IDS_AT_ONCE) {
        const some = ids.slice(start, start + IDS_AT_ONCE);
        const rows = db.selectFrom("versionTags").selectAll().where("versionId", "in", some).orderBy("tag");
        for (const { versionId, tag } of await rows.execute())
          tags.set(versionId, [...(tags.get(versionId) ?? []), tag]);
      }
      return tags;
    },
  };
}

function versionsTagged(db: Kysely<Tables>, tag: string) {
  return db.selectFrom("versionTags").select("versionId").where("tag", "=", tag);
}

function datasetsTagged(db: Kysely<Tables>, tag: string) {
  return db.selectFrom("datasetTags").select("datasetId").where("tag", "=", tag);
}
