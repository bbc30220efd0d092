/** What leaves the index when the cache is full: the files used least recently, each with all it holds, but no pinned one. */
import type { Database } from "better-sqlite3";

/** A file without rows, to be unlinked. */
export interface ForgottenFile {
  id: number;
  name: string;
}

/** Forgets files until all take at most `maxBytes`, or only pinned ones are left; to be called within a transaction. */
export function evict(db: Database, maxBytes: number): ForgottenFile[] {
  let excess = diskBytes(db) - maxBytes;
  const evicted: ForgottenFile[] = [];
  const oldest = db.prepare<[], ForgottenFile & { diskBytes: number }>(
    `select id, name, disk_bytes as diskBytes from file
     where not exists (select 1 from pinned_file where pinned_file.file = file.id) order by last_use_ms, id`,
  );
  for (const { id, name, diskBytes } of excess > 0 ? oldest.iterate() : []) {
    if (excess <= 0) break;
    evicted.push({ id, name });
    excess -= diskBytes;
  }
  const drop = db.prepare<[number]>("delete from file where id = ?");
  for (const { id } of evicted) drop.run(id);
  return evicted;
}

/** The files, and the index itself; its free pages are used before it grows. */
export function diskBytes(db: Database): number {
  const files = db.prepare<[], number>("select total(disk_bytes) from file").pluck().get() ?? 0;
  const [pages, freePages, pageBytes] = ["page_count", "freelist_count", "page_size"].map(
    (fact) => db.pragma(fact, { simple: true }) as number,
  );
  return files + (pages! - freePages!) * pageBytes!;
}
