/** Extended attributes of inodes whose attributes are no longer those of the base. */
import type { Database, Statement } from "better-sqlite3";
import { bufferOf } from "../../paths.js";
import type { Ino } from "../filesystem.js";

export class XattrTable {
  readonly #of: Statement<[Ino], { name: Buffer; value: Buffer }>;
  readonly #put: Statement<[Ino, Buffer, Uint8Array]>;
  readonly #delete: Statement<[Ino, Buffer]>;
  readonly #deleteAll: Statement<[Ino]>;

  constructor(db: Database) {
    this.#of = db.prepare("select name, value from xattrs where ino = ? order by name");
    // The driver may bind an empty buffer as null.
    this.#put = db.prepare("replace into xattrs values (?, ?, coalesce(?, x''))");
    this.#delete = db.prepare("delete from xattrs where ino = ? and name = ?");
    this.#deleteAll = db.prepare("delete from xattrs where ino = ?");
  }

  of(ino: Ino): Map<string, Uint8Array> {
    return new Map(this.#of.all(ino).map(({ name, value }) => [name.toString("latin1"), value]));
  }

  put(ino: Ino, name: string, value: Uint8Array): void {
    this.#put.run(ino, bufferOf(name), value);
  }

  delete(ino: Ino, name: string): void {
    this.#delete.run(ino, bufferOf(name));
  }

  deleteAll(ino: Ino): void {
    this.#deleteAll.run(ino);
  }
}
