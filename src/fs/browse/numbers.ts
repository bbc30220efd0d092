/**
 * Inode numbers of a mount of every version: 53 bits, of which the upper 21 say the **slot** and the lower 32 a number
 * within it. Slot 0 holds what lies above the versions; each version that was ever listed has a slot of its own, where
 * its inodes have the numbers they have in a mount of that version alone. None is given twice while the mount lives.
 */
import { FileSystemError } from "../errno.js";
import { type Ino, ROOT_INO } from "../filesystem.js";

/** Numbers of a slot: more than a tree can have entries. */
const SLOT_INOS = 2 ** 32;
const MOST_SLOTS = 2 ** 21;

/** The slot of an inode; 0 for what lies above the versions. */
export function slotOf(ino: Ino): number {
  return Math.floor(ino / SLOT_INOS);
}

/** An inode's number within its slot. */
export function localOf(ino: Ino): Ino {
  return ino % SLOT_INOS;
}

export function inoIn(slot: number, local: Ino): Ino {
  return slot * SLOT_INOS + local;
}

/** Hands out numbers, to each key one. Costs some 100 bytes a key for as long as the mount lives. */
export class Numbers {
  readonly #above = new Map<string, Ino>();
  readonly #slots = new Map<string, number>();

  /** The inode of something above the versions. */
  above(key: string): Ino {
    return numberIn(this.#above, key, ROOT_INO + 1, SLOT_INOS);
  }

  /** The slot of a version. @throws {FileSystemError} `EOVERFLOW` when there were too many */
  slot(versionId: string): number {
    return numberIn(this.#slots, versionId, 1, MOST_SLOTS);
  }
}

function numberIn(numbers: Map<string, number>, key: string, first: number, end: number): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const number = first + numbers.size;
  if (number >= end) throw new FileSystemError("EOVERFLOW");
  numbers.set(key, number);
  return number;
}
