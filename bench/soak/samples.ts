/** What processes of mounts hold, looked at again and again: memory, descriptors, threads, and files on disk. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { KiB, MiB } from "../../src/units.js";

export interface Held {
  residentBytes: number;
  descriptors: number;
  threads: number;
}

/** Undefined for a process that has ended. */
export function heldBy(pid: number): Held | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return { residentBytes: number("VmRSS") * KiB, descriptors, threads: number("Threads") };
  } catch {
    return undefined;
  }
}

/** Files and folders below a folder, but for some names right below it: each is an inode of its disk. */
export function inodesBelow(folder: string, without: readonly string[] = []): number {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !without.includes(name))
      .reduce((sum, entry) => sum + 1 + (entry.isDirectory() ? inodesBelow(join(folder, entry.name)) : 0), 0);
  } catch {
    return 0; // It was removed meanwhile.
  }
}

/** What a straight line through points rises in one unit of x; 0 for fewer than two. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length);
}

export function mib(bytes: number): string {
  return (bytes / MiB).toFixed(0);
}
