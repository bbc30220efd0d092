/** What looking after a cache asks of its index: all there is, file by file, and forgetting much of it at once. */
import type { Database, Statement } from "better-sqlite3";

import type { Sha256 } from "../content/chunk.js";
import { diskBytes, type ForgottenFile } from "./evict.js";
import type { FileFacts, LaidBlock } from "./index-db.js";

/** What a cache holds. */
export interface CacheTotals {
  /** Room that all of it takes, the index too, in bytes. */
  bytes: number;
  files: number;
  blocks: number;
  /** Large files that lie there whole, one file each. */
  wholes: { files: number; bytes: number };
  pinnedBytes: number;
}

/** A file that is being cleared in part: how many bytes of its blocks were to go. */
export type ClearedBytes = Map<number, number>;

const UNPINNED = "not exists (select 1 from pinned_file where pinned_file.file = file.id)";

export class UpkeepIndex {
  readonly #place: Statement<[Buffer, Buffer], { file: number; sizeBytes: number }>;
  readonly #forget: Statement<[Buffer, number]>;

  constructor(private readonly db: Database) {
    const unpinned = "not exists (select 1 from pinned_file where pinned_file.file = lodged.file)";
    this.#place = db.prepare(
      `select file, size_bytes as sizeBytes from (select file, size_bytes from block where hash = ?
         union all select file, size_bytes from part where hash = ?) as lodged where ${unpinned}`,
    );
    this.#forget = db.prepare("delete from block where hash = ? and file = ?");
  }

  totals(): Omit<CacheTotals, "pinnedBytes"> {
    const count = (sql: string) => this.db.prepare<[], number>(sql).pluck().get() ?? 0;
    const complete = "from whole join file on file.id = whole.file where is_complete = 1";
    return {
      bytes: diskBytes(this.db),
      files: count("select count(*) from file"),
      blocks: count("select (select count(*) from block) + (select count(*) from part)"),
      wholes: {
        files: count(`select count(*) ${complete}`),
        bytes: count(`select total(disk_bytes) ${complete}`),
      },
    };
  }

  fileIds(): number[] {
    return this.db.prepare<[], number>("select id from file order by id").pluck().all();
  }

  /** Whether nobody writes to a file any more. */
  isFinished(id: number): boolean {
    const sql = "select 1 from whole where file = ? and is_complete = 0";
    return this.db.prepare(sql).get(id) === undefined;
  }

  /** All that lies in a file, in order. */
  entriesOf(id: number): LaidBlock[] {
    const sql = `select lower(hex(hash)) as hash, offset, size_bytes as sizeBytes, lower(hex(content)) as content from (
        select hash, offset, size_bytes, coalesce(content, hash) as content from block where file = @id
        union all select hash, offset, size_bytes, hash from part where file = @id)
      order by offset`;
    return this.db.prepare<[{ id: number }], LaidBlock>(sql).all({ id });
  }

  /** Ids of the pins that need a file. */
  pinsOf(id: number): number[] {
    return this.db.prepare<[number], number>("select pin from pinned_file where file = ?").pluck().all(id);
  }

  /** A file was hashed from end to end, and is as it was when it was filled. */
  trust(id: number, { ctimeMs, boot }: Pick<FileFacts, "ctimeMs" | "boot">): void {
    const trust = this.db.prepare("update file set ctime_ms = ?, boot = ? where id = ?");
    this.#write(() => trust.run(ctimeMs, boot, id));
  }

  /** Forgets every file that is not pinned. */
  clear(): ForgottenFile[] {
    const clear = this.db.prepare<[], ForgottenFile>(`delete from file where ${UNPINNED} returning id, name`);
    return this.#write(() => clear.all());
  }

  /** Forgets blocks that lie in no pinned file, and adds up how many bytes of which file went. */
  forget(hashes: readonly Sha256[], cleared: ClearedBytes): void {
    this.#write(() => {
      for (const hash of hashes) {
        const bytes = Buffer.from(hash, "hex");
        for (const { file, sizeBytes } of this.#place.all(bytes, bytes)) {
          this.#forget.run(bytes, file);
          cleared.set(file, (cleared.get(file) ?? 0) + sizeBytes);
        }
      }
    });
  }

  /** Forgets the files of which less than half is left, and all that lies in them. */
  forgetMostlyCleared(cleared: ClearedBytes): ForgottenFile[] {
    const left = this.db
      .prepare<[number, number], number>(
        `select (select total(size_bytes) from block where file = ?)
              + (select total(size_bytes) from part where file = ?)`,
      )
      .pluck();
    const forget = this.db.prepare<[number], ForgottenFile>(
      `delete from file where id = ? and ${UNPINNED} returning id, name`,
    );
    return this.#write(() =>
      [...cleared].flatMap(([id, clearedBytes]) => {
        const isPart = this.db.prepare("select 1 from whole where file = ?").get(id) !== undefined;
        const leftBytes = left.get(id, id)! - (isPart ? clearedBytes : 0);
        return leftBytes <= clearedBytes ? forget.all(id) : [];
      }),
    );
  }

  /** Gives the room of forgotten rows back to the disk. Waits for writers. */
  shrink(): void {
    this.db.exec("vacuum");
    this.db.pragma("wal_checkpoint(truncate)");
  }

  #write<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }
}
