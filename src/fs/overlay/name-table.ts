/** The names that differ from the base: made, moved here, or gone. What the base says is not known here. */
import type { Database, Statement } from "better-sqlite3";
import { bufferOf } from "../../paths.js";
import type { Ino } from "../filesystem.js";
import { FIRST_NEW_INO } from "./base.js";
import { BitSet } from "./bit-set.js";

/** Inode 0: the base has this name, and it is gone. */
export const GONE: Ino = 0;

/** A name of a directory. */
export interface Dentry {
  name: string;
  ino: Ino;
  /** Its place in a listing; null where the base has the name. */
  cookie: number | null;
}

/** A name and the directory it is in. */
export interface PlacedDentry extends Dentry {
  parent: Ino;
}

interface Row<Name> {
  name: Name;
  ino: Ino;
  cookie: number | null;
}

const COLUMNS = "name, ino, cookie";

export class NameTable {
  readonly #get: Statement<[Ino, Buffer], Row<Buffer>>;
  readonly #put: Statement<[Ino, Buffer, Ino, number | null]>;
  readonly #delete: Statement<[Ino, Buffer]>;
  readonly #deleteAll: Statement<[Ino]>;
  readonly #census: Statement<[Ino], { gone: number; present: number }>;
  readonly #after: Statement<[Ino, number, number], Row<Buffer>>;
  readonly #overBase: Statement<[Ino, Buffer, number], Row<Buffer>>;
  /** Base directories that may have rows; all others need no query. */
  readonly #touched = new BitSet();

  constructor(private readonly db: Database) {
    this.#get = db.prepare(`select ${COLUMNS} from dentries where parent = ? and name = ?`);
    this.#put = db.prepare("replace into dentries values (?, ?, ?, ?)");
    this.#delete = db.prepare("delete from dentries where parent = ? and name = ?");
    this.#deleteAll = db.prepare("delete from dentries where parent = ?");
    this.#census = db.prepare(
      "select total(ino = 0) as gone, total(ino <> 0) as present from dentries where parent = ?",
    );
    this.#after = db.prepare(
      `select ${COLUMNS} from dentries where parent = ? and cookie > ? order by cookie limit ?`,
    );
    this.#overBase = db.prepare(
      `select ${COLUMNS} from dentries where parent = ? and cookie is null and name >= ? order by name limit ?`,
    );
    for (const parent of this.parents()) if (parent < FIRST_NEW_INO) this.#touched.add(parent);
  }

  /** Whether a directory may have names here. */
  has(parent: Ino): boolean {
    return parent >= FIRST_NEW_INO || this.#touched.has(parent);
  }

  get(parent: Ino, name: string): Dentry | undefined {
    const row = this.has(parent) ? this.#get.get(parent, bufferOf(name)) : undefined;
    return row && dentryOf(row);
  }

  put(parent: Ino, name: string, ino: Ino, cookie: number | null): void {
    if (parent < FIRST_NEW_INO) this.#touched.add(parent);
    this.#put.run(parent, bufferOf(name), ino, cookie);
  }

  delete(parent: Ino, name: string): void {
    this.#delete.run(parent, bufferOf(name));
  }

  deleteAll(parent: Ino): void {
    if (this.has(parent)) this.#deleteAll.run(parent);
  }

  /** Names that the base does not have, in the order of their cookies. */
  after(parent: Ino, cookie: number, count: number): Dentry[] {
    return this.has(parent) ? this.#after.all(parent, cookie, count).map(dentryOf) : [];
  }

  /** Names that the base has too, in the order of names, from `name` on. */
  overBase(parent: Ino, name: string, count: number): Dentry[] {
    return this.has(parent) ? this.#overBase.all(parent, bufferOf(name), count).map(dentryOf) : [];
  }

  /** How many names of the base are gone, and whether there are others. */
  census(parent: Ino): { gone: number; present: boolean } {
    if (!this.has(parent)) return { gone: 0, present: false };
    const row = this.#census.get(parent);
    return { gone: row?.gone ?? 0, present: row !== undefined && row.present > 0 };
  }

  get isEmpty(): boolean {
    return this.db.prepare("select 1 from dentries limit 1").get() === undefined;
  }

  /** Directories that have names here. */
  parents(): Ino[] {
    return this.db.prepare<[], Ino>("select distinct parent from dentries").pluck().all();
  }

  /** Names here of a directory, after `name`, in order; `""` starts. */
  page(parent: Ino, name: string, count: number): Dentry[] {
    const sql = `select ${COLUMNS} from dentries where parent = ? and name > coalesce(?, x'') order by name limit ?`;
    return this.db
      .prepare<[Ino, Buffer, number], Row<Buffer>>(sql)
      .all(parent, bufferOf(name), count)
      .map(dentryOf);
  }

  /** All names here of one inode. Reads the whole table. */
  named(ino: Ino): PlacedDentry[] {
    const sql = `select parent, ${COLUMNS} from dentries where ino = ? order by parent, name`;
    return this.db.prepare<[Ino], Row<Buffer> & { parent: Ino }>(sql).all(ino).map(placedOf);
  }

  /** The names here of all directories. */
  directories(): PlacedDentry[] {
    const sql = `select d.parent, d.name, d.ino, d.cookie from dentries d join inodes i on i.ino = d.ino
      where i.mode & 0xf000 = 0x4000 -- S_IFMT, S_IFDIR`;
    return this.db.prepare<[], Row<Buffer> & { parent: Ino }>(sql).all().map(placedOf);
  }
}

function dentryOf({ name, ino, cookie }: Row<Buffer>): Dentry {
  return { name: name.toString("latin1"), ino, cookie };
}

function placedOf(row: Row<Buffer> & { parent: Ino }): PlacedDentry {
  return { ...dentryOf(row), parent: row.parent };
}
