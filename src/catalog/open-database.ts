/** Opens the database of a catalog, whichever it is, with the tables of this code. */
import { type CatalogDatabase, isCatalogUrl } from "./database.js";
import { migrate } from "./migrations.js";
import { openSqlite } from "./sqlite.js";

/** @throws {DatasetError} as `openCatalog` */
export async function openDatabase(place: string): Promise<CatalogDatabase> {
  const database = await connect(place);
  try {
    await migrate(database);
    return database;
  } catch (error) {
    await database.db.destroy();
    throw error;
  }
}

/** What speaks to a server is loaded only for one. */
async function connect(place: string): Promise<CatalogDatabase> {
  if (!isCatalogUrl(place)) return openSqlite(place);
  const { openPostgres } = await import("./postgres/open.js");
  return openPostgres(place);
}
