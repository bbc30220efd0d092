/** Which entries of a version a mount shows: one bit an ordinal. Inode numbers are those of the whole version. */
export class Subset {
  constructor(private readonly bits: Uint8Array) {}

  has(ordinal: number): boolean {
    return ((this.bits[ordinal >> 3] ?? 0) & (1 << (ordinal & 7))) !== 0;
  }
}
