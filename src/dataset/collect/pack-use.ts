/** How much of each pack versions still use: the places of chunks in their ranges, each place once. */
import type { Chunk, PackId, RemoteId } from "../../content/chunk.js";
import { EntryType } from "../../manifest/entry.js";
import type { Range } from "../../manifest/range.js";

export interface PackUse {
  pack: PackId;
  /** Of the chunks that are used. */
  usedBytes: number;
  /** In the order of their offsets. */
  chunks: number;
}

const FIRST_PLACES = 1024;
const NUMBERS_IN_PLACE = 3;

/** Memory: 24 B a place of each range that is noted, until they are counted. */
export class PackUses {
  readonly #packs = new Map<PackId, number>();
  /** Pack, offset and stored bytes of each place. */
  #places = new Float64Array(FIRST_PLACES * NUMBERS_IN_PLACE);
  #count = 0;

  /** @param remote Packs of other remotes are not counted. */
  constructor(private readonly remote: RemoteId) {}

  note(range: Range): void {
    for (let index = 0; index < range.count; index++)
      if (range.typeAt(index) === EntryType.file)
        for (const chunk of range.chunksAt(index)) this.#noteChunk(chunk);
  }

  /** Every pack that was noted. */
  counted(): PackUse[] {
    const uses = [...this.#packs.keys()].map((pack) => ({ pack, usedBytes: 0, chunks: 0 }));
    let last = -1;
    for (const place of this.#sorted()) {
      const [pack, offset, storedBytes] = this.#at(place);
      const isSame = last >= 0 && this.#at(last)[0] === pack && this.#at(last)[1] === offset;
      last = place;
      if (isSame) continue;
      uses[pack]!.usedBytes += storedBytes;
      uses[pack]!.chunks += 1;
    }
    return uses;
  }

  #noteChunk({ remote, pack, offset, storedBytes }: Chunk): void {
    if (remote !== this.remote) return;
    const number = this.#packs.get(pack) ?? this.#packs.size;
    this.#packs.set(pack, number);
    const at = this.#count++ * NUMBERS_IN_PLACE;
    if (at === this.#places.length) this.#places = grown(this.#places);
    this.#places[at] = number;
    this.#places[at + 1] = offset;
    this.#places[at + 2] = storedBytes;
  }

  #at(place: number): [pack: number, offset: number, storedBytes: number] {
    const at = place * NUMBERS_IN_PLACE;
    return [this.#places[at]!, this.#places[at + 1]!, this.#places[at + 2]!];
  }

  #sorted(): Uint32Array {
    const order = Uint32Array.from({ length: this.#count }, (_, place) => place);
    return order.sort((a, b) => {
      const [left, right] = [a * NUMBERS_IN_PLACE, b * NUMBERS_IN_PLACE];
      return this.#places[left]! - this.#places[right]! || this.#places[left + 1]! - this.#places[right + 1]!;
    });
  }
}

function grown(places: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(places.length * 2);
  larger.set(places);
  return larger;
}
