/** Files that wait until the packs with their new chunks are settled. Pure bookkeeping. */
import { type PackUnderway, Place } from "./place.js";
import type { PlannedFile } from "./plan-pieces.js";

interface Waiting<Id> {
  file: PlannedFile<Id>;
  openPacks: number;
}

export class WaitingFiles<Id> {
  readonly #waiting = new Map<PackUnderway, Waiting<Id>[]>();
  #stored: PlannedFile<Id>[] = [];
  #lost: PlannedFile<Id>[] = [];

  /** A file of which every new chunk has been laid or lost. */
  add(file: PlannedFile<Id>): void {
    const packs = new Set<PackUnderway>();
    for (const part of file.parts) if (part instanceof Place && isOpen(part)) packs.add(part.pack);
    const waiting = { file, openPacks: packs.size };
    for (const pack of packs) this.#listOf(pack).push(waiting);
    if (packs.size === 0) this.#decide(file);
  }

  /** The pack is durable or lost. */
  settle(pack: PackUnderway): void {
    const files = this.#waiting.get(pack) ?? [];
    this.#waiting.delete(pack);
    for (const waiting of files) if (--waiting.openPacks === 0) this.#decide(waiting.file);
  }

  /** Files all of whose chunks are durable; each is given once. */
  takeStored(): PlannedFile<Id>[] {
    const files = this.#stored;
    this.#stored = [];
    return files;
  }

  /** Files that need a chunk which was lost; each is given once. */
  takeLost(): PlannedFile<Id>[] {
    const files = this.#lost;
    this.#lost = [];
    return files;
  }

  #listOf(pack: PackUnderway): Waiting<Id>[] {
    const known = this.#waiting.get(pack);
    if (known) return known;
    const list: Waiting<Id>[] = [];
    this.#waiting.set(pack, list);
    return list;
  }

  #decide(file: PlannedFile<Id>): void {
    (file.parts.some(isLost) ? this.#lost : this.#stored).push(file);
  }
}

function isOpen(place: Place): place is Place & { pack: PackUnderway } {
  return place.pack?.state === "open";
}

function isLost(part: unknown): boolean {
  return part instanceof Place && (part.isLost || part.pack?.state === "lost");
}
