/** Copying a part of a block. A wrong range is a mistake of the caller, and must not give a neighbour's bytes. */

/** Copies bytes `[start, end)` of a block that is in memory into `target` from index `at`; false when there is none. */
export function copyFrom(
  block: Uint8Array | undefined,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): boolean {
  if (!block) return false;
  checkCopy(block.byteLength, start, end, target, at);
  target.set(block.subarray(start, end), at);
  return true;
}

/** @throws {RangeError} when `[start, end)` is no part of a block of `sizeBytes`, or has no room in `target` */
export function checkCopy(
  sizeBytes: number,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (start >= 0 && start <= end && end <= sizeBytes && at >= 0 && at + end - start <= target.byteLength)
    return;
  const place = `index ${at} of ${target.byteLength} bytes`;
  throw new RangeError(`Cannot copy [${start}, ${end}) of a block of ${sizeBytes} bytes to ${place}`);
}
