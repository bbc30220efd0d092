/** Which remotes there are, each by the id it carries itself, under the URL it was last reached by; and who needs them. */
import type { Kysely } from "kysely";

import { DatasetError } from "../errors.js";
import type { RemotesTable, Tables } from "./schema.js";

export type RemoteRow = RemotesTable;

export interface Remotes {
  /**
   * The remote of that id, with the URL (and the name, when one is given) it has from now on.
   * @throws {DatasetError} `conflict` when another remote has the name
   */
  ensureRemote(remote: { id: string; url: string; name?: string | undefined }): Promise<RemoteRow>;
  remoteById(id: string): Promise<RemoteRow | undefined>;
  remoteByName(name: string): Promise<RemoteRow | undefined>;
  /** Sorted by URL. */
  listRemotes(): Promise<RemoteRow[]>;
  /** Forgets a remote. @throws {DatasetError} `conflict` while versions of this catalog need it */
  removeRemote(id: string): Promise<void>;
  /** Ids of the remotes that a finished version's bytes may lie in, its own first. */
  remotesOfVersion(versionId: string): Promise<string[]>;
  /** Ids of other remotes with versions some of whose bytes lie in this one. */
  remotesThatNeed(id: string): Promise<string[]>;
}

export function remotes(db: Kysely<Tables>): Remotes {
  const find = (column: "id" | "name", value: string) =>
    db.selectFrom("remotes").selectAll().where(column, "=", value).executeTakeFirst();

  return {
    ensureRemote: ({ id, url, name }) =>
      db.transaction().execute(async (trx) => {
        if (name !== undefined) await checkNameFree(trx, id, name);
        const changes = name === undefined ? { url } : { url, name };
        const saved = trx
          .insertInto("remotes")
          .values({ id, name: null, ...changes })
          .onConflict((known) => known.column("id").doUpdateSet(changes));
        return saved.returningAll().executeTakeFirstOrThrow();
      }),
    remoteById: (id) => find("id", id),
    remoteByName: (name) => find("name", name),
    listRemotes: () => db.selectFrom("remotes").selectAll().orderBy("url").orderBy("id").execute(),
    removeRemote: (id) =>
      db.transaction().execute(async (trx) => {
        await checkUnused(trx, id);
        await trx.deleteFrom("remotes").where("id", "=", id).execute();
      }),
    async remotesOfVersion(versionId) {
      const needed = db.selectFrom("versionRemotes").select("remoteId").where("versionId", "=", versionId);
      return (await needed.orderBy("position").execute()).map(({ remoteId }) => remoteId);
    },
    async remotesThatNeed(id) {
      const needing = db.selectFrom("versionRemotes").select("versionId").where("remoteId", "=", id);
      const own = db.selectFrom("versions").select("remoteId").distinct().where("id", "in", needing);
      return (await own.where("remoteId", "!=", id).execute()).map(({ remoteId }) => remoteId);
    },
  };
}

/** For who is in a transaction already. */
export async function setVersionRemotes(
  db: Kysely<Tables>,
  versionId: string,
  ids: readonly string[],
): Promise<void> {
  await db.deleteFrom("versionRemotes").where("versionId", "=", versionId).execute();
  const rows = ids.map((remoteId, position) => ({ versionId, position, remoteId }));
  if (rows.length > 0) await db.insertInto("versionRemotes").values(rows).execute();
}

async function checkNameFree(db: Kysely<Tables>, id: string, name: string): Promise<void> {
  const owner = await db
    .selectFrom("remotes")
    .select(["id", "url"])
    .where("name", "=", name)
    .executeTakeFirst();
  if (!owner || owner.id === id) return;
  const what = `remote "${name}"`;
  const message = `Cannot name a remote "${name}": the remote ${owner.url} has that name`;
  throw new DatasetError("conflict", { what }, message);
}

async function checkUnused(db: Kysely<Tables>, id: string): Promise<void> {
  const needing = db.selectFrom("versionRemotes").select("versionId").where("remoteId", "=", id);
  const { count } = await db
    .selectFrom("versions")
    .where((where) => where.or([where("remoteId", "=", id), where("id", "in", needing)]))
    .select(({ fn }) => fn.countAll<number | string>().as("count"))
    .executeTakeFirstOrThrow();
  if (Number(count) === 0) return;
  const what = `remote ${id}`;
  const message = `Cannot forget the remote ${id}: ${Number(count)} of this catalog's versions need it`;
  throw new DatasetError("conflict", { what }, message);
}
