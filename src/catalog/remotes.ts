/** Which remotes there are: each by the id it carries itself, under the URL it was last reached by. */
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
  /** Sorted by URL. */
  listRemotes(): Promise<RemoteRow[]>;
}

export function remotes(db: Kysely<Tables>): Remotes {
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
    remoteById: (id) => db.selectFrom("remotes").selectAll().where("id", "=", id).executeTakeFirst(),
    listRemotes: () => db.selectFrom("remotes").selectAll().orderBy("url").orderBy("id").execute(),
  };
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
