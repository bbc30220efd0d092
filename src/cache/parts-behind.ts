/** Parts of wholes on their way to disk: as blocks in `write-behind.ts`, with the places they belong to. */
import type { Sha256 } from "../content/chunk.js";
import type { Part, PartBytes } from "./whole.js";
import { WriteBehind } from "./write-behind.js";

export class PartsBehind {
  readonly #behind: WriteBehind;
  readonly #parts = new Map<Sha256, Part>();

  /** @param write Writes some parts; it does not fail. */
  constructor(
    private readonly write: (parts: readonly PartBytes[]) => Promise<void>,
    fillBytes: number,
  ) {
    this.#behind = new WriteBehind((fill) => this.#write(fill), fillBytes);
  }

  get(hash: Sha256): Uint8Array | undefined {
    return this.#behind.get(hash);
  }

  add({ hash, bytes, whole, at }: PartBytes): void {
    this.#parts.set(hash, this.#parts.get(hash) ?? { whole, at });
    if (!this.#behind.add(hash, bytes) && !this.#behind.get(hash)) this.#parts.delete(hash);
  }

  /** Resolves when all that was added is written. */
  flush(): Promise<void> {
    return this.#behind.flush();
  }

  async #write(fill: ReadonlyMap<Sha256, Uint8Array>): Promise<void> {
    await this.write([...fill].map(([hash, bytes]) => ({ hash, bytes, ...this.#parts.get(hash)! })));
    for (const hash of fill.keys()) this.#parts.delete(hash);
  }
}
