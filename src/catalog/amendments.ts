/**
 * Which amendments of a dataset this catalog has taken in, remote by remote, and those it keeps until it can apply them.
 * What lies in the remote is the truth; here is how far it was read.
 */
import type { Kysely } from "kysely";

import { type Change, parseAmendment } from "./amendment.js";
import { applyAmendment, applyToDraft } from "./apply-change.js";
import type { Tables } from "./schema.js";

/** An amendment as it lies in a remote. */
export interface StoredAmendment {
  /** From 1, without a gap. */
  number: number;
  content: string;
}

export interface Amendments {
  /** The number of the last amendment of a dataset in a remote that was taken in; 0 for none. */
  amendmentsTaken(datasetId: string, remoteId: string): Promise<number>;
  /**
   * Takes in the amendments that follow those taken, in one transaction. What cannot be applied is kept, and tried again
   * at the next call, or when its version comes.
   *
   * @returns The numbers of those that this varve does not understand.
   */
  takeAmendments(
    datasetId: string,
    remoteId: string,
    amendments: readonly StoredAmendment[],
  ): Promise<number[]>;
  /** The greatest stamp of a dataset's amendments, in ms; 0 for none. */
  lastStamp(datasetId: string): Promise<number>;
  /** Changes an unfinished version, of which no remote knows. */
  changeDraft(datasetId: string, change: Change): Promise<void>;
}

export function amendments(db: Kysely<Tables>): Amendments {
  return {
    async amendmentsTaken(datasetId, remoteId) {
      const position = db
        .selectFrom("amendmentPositions")
        .select("number")
        .where("datasetId", "=", datasetId)
        .where("remoteId", "=", remoteId);
      return (await position.executeTakeFirst())?.number ?? 0;
    },
    takeAmendments: (datasetId, remoteId, amendments) =>
      db.transaction().execute(async (trx) => {
        await applyKept(trx, { datasetId });
        const unknown: number[] = [];
        for (const { number, content } of amendments) {
          if (await applyOrKeep(trx, { datasetId, remoteId, number, content })) continue;
          if (!parseAmendment(content)) unknown.push(number);
        }
        await setPosition(trx, datasetId, remoteId, amendments.at(-1)?.number ?? 0);
        return unknown;
      }),
    async lastStamp(datasetId) {
      const stamps = db
        .selectFrom("amendedFields")
        .select("stampMs")
        .where("datasetId", "=", datasetId)
        .orderBy("stampMs", "desc");
      return (await stamps.limit(1).executeTakeFirst())?.stampMs ?? 0;
    },
    changeDraft: (datasetId, change) =>
      db.transaction().execute((trx) => applyToDraft(trx, datasetId, change)),
  };
}

/** Applies what waited for a version, or for a varve that understands it, for who is in a transaction. */
export async function applyKept(
  db: Kysely<Tables>,
  { datasetId, versionId }: { datasetId: string; versionId?: string },
): Promise<void> {
  const all = db.selectFrom("keptAmendments").selectAll().where("datasetId", "=", datasetId);
  const kept = versionId === undefined ? all : all.where("versionId", "=", versionId);
  for (const { remoteId, number, content } of await kept.execute()) {
    const amendment = parseAmendment(content);
    if (!amendment || (await applyAmendment(db, amendment)) === "waits") continue;
    await db
      .deleteFrom("keptAmendments")
      .where("datasetId", "=", datasetId)
      .where("remoteId", "=", remoteId)
      .where("number", "=", number)
      .execute();
  }
}

async function applyOrKeep(
  db: Kysely<Tables>,
  { datasetId, remoteId, number, content }: { datasetId: string; remoteId: string } & StoredAmendment,
): Promise<boolean> {
  const amendment = parseAmendment(content);
  const isOurs = amendment?.dataset === datasetId;
  if (isOurs && (await applyAmendment(db, amendment)) === "applied") return true;
  const versionId = isOurs ? (amendment.change.version ?? null) : null;
  await db
    .insertInto("keptAmendments")
    .values({ datasetId, remoteId, number, versionId, content })
    .onConflict((kept) => kept.doNothing())
    .execute();
  return false;
}

/** Never goes back: two that look at once may have begun at different places. */
async function setPosition(
  db: Kysely<Tables>,
  datasetId: string,
  remoteId: string,
  number: number,
): Promise<void> {
  if (number === 0) return;
  await db
    .insertInto("amendmentPositions")
    .values({ datasetId, remoteId, number })
    .onConflict((known) =>
      known
        .columns(["datasetId", "remoteId"])
        .doUpdateSet({ number })
        .where("amendmentPositions.number", "<", number),
    )
    .execute();
}
