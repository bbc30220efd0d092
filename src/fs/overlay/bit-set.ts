/** A growing set of small whole numbers at one bit each: ten million base entries take a little over a MiB. */

const FIRST_BYTES = 1024;

export class BitSet {
  #bits = new Uint8Array(FIRST_BYTES);

  has(index: number): boolean {
    return ((this.#bits[Math.floor(index / 8)] ?? 0) & (1 << (index % 8))) !== 0;
  }

  add(index: number): void {
    const byte = Math.floor(index / 8);
    if (byte >= this.#bits.length) this.#grow(byte + 1);
    this.#bits[byte]! |= 1 << (index % 8);
  }

  #grow(wantedBytes: number): void {
    const bits = new Uint8Array(Math.max(wantedBytes, 2 * this.#bits.length));
    bits.set(this.#bits);
    this.#bits = bits;
  }
}
