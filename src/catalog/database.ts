/** What the catalog needs of a database, whichever it is: SQLite (`sqlite.ts`) or PostgreSQL (`postgres/open.ts`). */
import type { Kysely } from "kysely";

import type { Tables } from "./schema.js";

export interface CatalogDatabase {
  /**
   * Queries. A transaction of it holds whatever others do at once: its work may be run again from its start, so it
   * changes nothing but the database. `destroy()` closes the database.
   */
  db: Kysely<Tables>;
  /** What messages call the catalog: its path, or its URL without the password. */
  name: string;
  /** Runs a transaction that may change tables, while no other process does. */
  alone: (work: (trx: Kysely<Tables>) => Promise<void>) => Promise<void>;
}

/** Whether a catalog is named by a URL, not by the path of a file. */
export function isCatalogUrl(place: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place);
}
