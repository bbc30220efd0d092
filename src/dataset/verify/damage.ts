/** What is wrong with stored bytes, and which files it costs. */
import type { ChunkLocation } from "../../content/chunk.js";
import { packKey } from "../../content/chunk.js";
import type { ObjectKey } from "../../remote/remote.js";
import type { TreePath } from "../../paths.js";

/** `missing`: not there. `damaged`: there, and not what it should be. `failed`: the remote could not read it. */
export type DamageState = "missing" | "damaged" | "failed";

/** Bytes `[start, end)` of an object that are not what the version needs. */
export interface Damage {
  state: DamageState;
  /** The root and the ranges are the version's listing; packs and the chunks in them its content. */
  what: "root" | "range" | "pack" | "chunk";
  /** URL of the remote. */
  remote: string;
  key: ObjectKey;
  start: number;
  end: number;
  /** Of the files that hold it, in tree order; empty for a part of the listing. */
  paths: TreePath[];
  /** In words. */
  problem: string;
}

export class DamageBook {
  readonly found: Damage[] = [];
  readonly #byObject = new Map<string, Damage[]>();

  note(remoteId: string, damage: Omit<Damage, "paths">): void {
    const noted = { ...damage, paths: [] };
    this.found.push(noted);
    const object = `${remoteId} ${damage.key}`;
    const known = this.#byObject.get(object);
    if (known) known.push(noted);
    else this.#byObject.set(object, [noted]);
  }

  /** Whether anything lies in content, which files have. */
  get touchesFiles(): boolean {
    return this.found.some(({ what }) => what === "pack" || what === "chunk");
  }

  /** What is wrong with the place of a chunk. */
  *touching({ remote, pack, offset, storedBytes }: ChunkLocation): Generator<Damage> {
    const known = this.#byObject.get(`${remote} ${packKey(pack)}`) ?? [];
    for (const damage of known) if (damage.start < offset + storedBytes && offset < damage.end) yield damage;
  }

  /** Enters a file that holds a chunk where what is wrong with the chunk is known. */
  enter(path: TreePath, chunk: ChunkLocation): void {
    for (const { paths } of this.touching(chunk)) if (paths.at(-1) !== path) paths.push(path);
  }
}
