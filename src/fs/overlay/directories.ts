/** Names in directories: finding, listing and changing them. What a name's inode then becomes is left to others. */
import { nameOf } from "../../paths.js";
import { FileSystemError } from "../errno.js";
import { type EmitEntry, type Ino, ROOT_INO } from "../filesystem.js";
import { NAME_MAX_BYTES, RESERVED_NAME } from "../../paths.js";
import { FIRST_NEW_INO, inoOf, ordinalOf } from "./base.js";
import { type Core, attributesNow, directoryNow, parentNow } from "./core.js";
import { type Dentry, GONE } from "./name-table.js";

/** A name in a directory: what the base has there, and what is there now. */
export interface Place {
  parent: Ino;
  name: string;
  /** The inode that has the name now. */
  ino: Ino | undefined;
  /** The inode the base gives the name to. */
  baseIno: Ino | undefined;
  cookie: number | null;
}

/** Cookies of a listing: 1 and 2 are `.` and `..`; then the base's names by position; those made here have serials. */
const FIRST_BASE_COOKIE = 3;
/** Rows read at a time while listing. */
const LISTED_ROWS = 128;

/** The inode of a name, or undefined. */
export function findName(core: Core, parent: Ino, name: string): Ino | undefined {
  if (name.length > NAME_MAX_BYTES) throw new FileSystemError("ENAMETOOLONG");
  const dentry = core.journal.names.get(parent, name);
  if (dentry) return dentry.ino === GONE ? undefined : dentry.ino;
  return findInBase(core, parent, name);
}

/** All there is to know before a name is changed. */
export function placeOf(core: Core, parent: Ino, name: string): Place {
  if (name.length > NAME_MAX_BYTES) throw new FileSystemError("ENAMETOOLONG");
  directoryNow(core, parent);
  const dentry = core.journal.names.get(parent, name);
  const baseIno = findInBase(core, parent, name);
  const ino = dentry ? dentry.ino : baseIno;
  return { parent, name, ino: ino === GONE ? undefined : ino, baseIno, cookie: dentry?.cookie ?? null };
}

/**
 * The place of a name that is to be made.
 *
 * @throws {FileSystemError} `ENOENT` in a directory that was removed, `EEXIST` for a name that is there or reserved
 */
export function freePlace(core: Core, parent: Ino, name: string): Place {
  const place = placeOf(core, parent, name);
  refuseReserved(parent, name);
  if (place.ino !== undefined) throw new FileSystemError("EEXIST");
  if (directoryNow(core, parent).nlink === 0) throw new FileSystemError("ENOENT");
  return place;
}

/** The place of a name that is to be there. @throws {FileSystemError} `ENOENT` */
export function takenPlace(core: Core, parent: Ino, name: string): Place & { ino: Ino } {
  const place = placeOf(core, parent, name);
  if (place.ino === undefined) throw new FileSystemError("ENOENT");
  return { ...place, ino: place.ino };
}

export function refuseReserved(parent: Ino, name: string): void {
  if (parent === ROOT_INO && name === RESERVED_NAME) throw new FileSystemError("EEXIST");
}

/** The cookie a place will have once it is filled. Takes a serial, so not within a transaction. */
export function cookieFor(core: Core, { baseIno, cookie }: Place): number | null {
  return baseIno === undefined ? (cookie ?? core.journal.nextSerial()) : null;
}

/** Gives a name to an inode. Within a transaction. */
export function saveName({ journal }: Core, place: Place, ino: Ino, cookie: number | null): void {
  if (place.baseIno === ino) journal.names.delete(place.parent, place.name);
  else journal.names.put(place.parent, place.name, ino, cookie);
}

/** Takes a name away. Within a transaction. */
export function deleteName({ journal }: Core, { parent, name, baseIno }: Place): void {
  if (baseIno === undefined) journal.names.delete(parent, name);
  else journal.names.put(parent, name, GONE, null);
}

export function isEmptyDirectory(core: Core, ino: Ino): boolean {
  const { start, end } = childrenInBase(core, ino);
  const { gone, present } = core.journal.names.census(ino);
  return !present && gone === end - start;
}

/** Whether `ino` is `ancestor` or lies below it. */
export function isBelow(core: Core, ino: Ino, ancestor: Ino): boolean {
  for (let at = ino; ; at = parentNow(core, at)) {
    if (at === ancestor) return true;
    if (at === ROOT_INO) return false;
  }
}

/** Gives entries after `cookie` until `emit` has no room. Names of the base keep their place when they change. */
export function listDirectory(core: Core, ino: Ino, cookie: number, emit: EmitEntry): void {
  directoryNow(core, ino);
  if (cookie < 1 && !emit(".", attributesNow(core, ino), 1)) return;
  if (cookie < 2 && !emit("..", attributesNow(core, parentNow(core, ino)), 2)) return;
  if (cookie < FIRST_NEW_INO && !listBase(core, ino, cookie, emit)) return;
  listNew(core, ino, cookie, emit);
}

function listBase(core: Core, ino: Ino, cookie: number, emit: EmitEntry): boolean {
  const { tree } = core.base;
  const { start, end } = childrenInBase(core, ino);
  const changes = new ChangesInOrder(core, ino);
  for (let ordinal = start + Math.max(0, cookie - FIRST_BASE_COOKIE + 1); ordinal < end; ordinal++) {
    const name = nameOf(tree.path(ordinal));
    const child = changes.at(name)?.ino ?? inoOf(core.base.shared(ordinal));
    if (child === GONE) continue;
    if (!emit(name, attributesNow(core, child), ordinal - start + FIRST_BASE_COOKIE)) return false;
  }
  return true;
}

function listNew(core: Core, ino: Ino, cookie: number, emit: EmitEntry): void {
  for (let at = Math.max(cookie, FIRST_NEW_INO - 1); ;) {
    const rows = core.journal.names.after(ino, at, LISTED_ROWS);
    for (const { name, ino: child, cookie: own } of rows) {
      at = own ?? at;
      if (!emit(name, attributesNow(core, child), at)) return;
    }
    if (rows.length < LISTED_ROWS) return;
  }
}

function findInBase({ base }: Core, parent: Ino, name: string): Ino | undefined {
  const directory = ordinalOf(parent);
  const ordinal = directory === undefined ? undefined : base.child(directory, name);
  return ordinal === undefined ? undefined : inoOf(base.shared(ordinal));
}

function childrenInBase({ base }: Core, ino: Ino): { start: number; end: number } {
  const directory = ordinalOf(ino);
  return directory === undefined ? { start: 0, end: 0 } : base.children(directory);
}

/** The changed ones among the base's names of a directory, asked for in the order of names. */
class ChangesInOrder {
  #rows: Dentry[] = [];
  #next = 0;
  #hasMore = true;

  constructor(
    private readonly core: Core,
    private readonly ino: Ino,
  ) {}

  at(name: string): Dentry | undefined {
    while (this.#next < this.#rows.length && this.#rows[this.#next]!.name < name) this.#next++;
    if (this.#next === this.#rows.length && this.#hasMore) this.#read(name);
    const row = this.#rows[this.#next];
    return row?.name === name ? row : undefined;
  }

  #read(name: string): void {
    this.#rows = this.core.journal.names.overBase(this.ino, name, LISTED_ROWS);
    this.#next = 0;
    this.#hasMore = this.#rows.length === LISTED_ROWS;
  }
}
