/** `SEEK_DATA` and `SEEK_HOLE` over the holes of a file. Source: man page lseek(2) */
import { FileSystemError } from "./errno.js";

export const Whence = { data: 3, hole: 4 } as const;

/** Runs of zeros that take no room, as `[start, end)`, sorted and disjoint. */
export type Holes = readonly (readonly [number, number])[];

/**
 * The next offset at or after `offset` that lies in data, or in a hole; the end of the file counts as a hole.
 *
 * @throws {FileSystemError} ENXIO beyond the end, or when no data follows; EINVAL for another `whence`
 */
export function seek(holes: Holes, sizeBytes: number, offset: number, whence: number): number {
  if (whence !== Whence.data && whence !== Whence.hole) throw new FileSystemError("EINVAL");
  if (offset >= sizeBytes) throw new FileSystemError("ENXIO");
  const next = holes.find(([, end]) => end > offset);
  const isInHole = next !== undefined && next[0] <= offset;
  if (whence === Whence.hole) return isInHole ? offset : (next?.[0] ?? sizeBytes);
  if (!isInHole) return offset;
  if (next[1] >= sizeBytes) throw new FileSystemError("ENXIO");
  return next[1];
}
