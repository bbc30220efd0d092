/**
 * What belongs to a draft beside its tree, in its staging file until it is finalized: reports in order, and what was said
 * of single files, in the order of the tree. It keeps text; what that means is for `reports/` and `file-metadata/`.
 */
import type Database from "better-sqlite3";

import { type Key, keyOf, pathOfKey } from "../manifest/key.js";
import type { TreePath } from "../paths.js";

/** Added to the staging file's schema. */
export const ANNEXES_SCHEMA = `
  create table if not exists reports (position integer primary key, report text not null);
  create table if not exists file_metadata (
    key blob primary key,     -- parent directory, NUL, name
    patch text not null       -- JSON, see file-metadata/patch.ts
  ) without rowid;
`;

const PAGE_ROWS = 2_000;

/** What is staged for one file. */
export interface StagedPatch {
  key: Key;
  patch: string;
}

export class StagedAnnexes {
  /** @param write Runs what writes, and explains its failures. */
  constructor(
    private readonly db: Database.Database,
    private readonly write: (work: () => void) => void,
  ) {}

  addReport(report: string): void {
    this.write(() => this.db.prepare("insert into reports (report) values (?)").run(report));
  }

  /** In the order in which they were added. */
  reports(): string[] {
    const rows = this.db.prepare("select report from reports order by position").raw().all();
    return (rows as [string][]).map(([report]) => report);
  }

  /** Changes what is staged for files in one transaction: `change` is given what there is, and gives what is to be. */
  changePatches<Item extends { path: TreePath }>(
    items: readonly Item[],
    change: (item: Item, staged: string | undefined) => string,
  ): void {
    const select = this.db.prepare("select patch from file_metadata where key = ?").raw();
    const insert = this.db.prepare("insert or replace into file_metadata values (?, ?)");
    const changeAll = this.db.transaction(() => {
      for (const item of items) {
        const key = blobOf(item.path);
        const [staged] = (select.get(key) as [string] | undefined) ?? [];
        insert.run(key, change(item, staged));
      }
    });
    this.write(() => changeAll.immediate());
  }

  patch(path: TreePath): string | undefined {
    const row = this.db.prepare("select patch from file_metadata where key = ?").raw().get(blobOf(path));
    return (row as [string] | undefined)?.[0];
  }

  get hasPatches(): boolean {
    return this.db.prepare("select 1 from file_metadata limit 1").get() !== undefined;
  }

  /** In the order of the tree. */
  *patches(): Generator<StagedPatch> {
    const page = this.db
      .prepare("select key, patch from file_metadata where key > ? order by key limit ?")
      .raw();
    for (let after: Buffer = Buffer.alloc(0); ;) {
      const rows = page.all(after, PAGE_ROWS) as [Buffer, string][];
      for (const [key, patch] of rows) yield { key: key.toString("latin1") as Key, patch };
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1)![0];
    }
  }

  /** Paths with patches that the draft neither adds nor changes: whether they are there, only its base can tell. */
  *patchedInBaseOnly(): Generator<TreePath> {
    const query = `select f.key from file_metadata f left join staged s on s.key = f.key
      where f.key > ? and s.key is null order by f.key limit ?`;
    for (let after: Buffer = Buffer.alloc(0); ;) {
      const rows = this.db.prepare(query).raw().all(after, PAGE_ROWS) as [Buffer][];
      for (const [key] of rows) yield pathOfKey(key.toString("latin1") as Key);
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1)![0];
    }
  }

  /** Forgets what was said of files that are no more. */
  dropPatches(paths: readonly TreePath[]): void {
    const drop = this.db.prepare("delete from file_metadata where key = ?");
    const dropAll = this.db.transaction(() => {
      for (const path of paths) drop.run(blobOf(path));
      this.db.exec("delete from file_metadata where key in (select key from staged where type in (0, 1))");
    });
    this.write(() => dropAll.immediate());
  }
}

function blobOf(path: TreePath): Buffer {
  return Buffer.from(keyOf(path), "latin1");
}
