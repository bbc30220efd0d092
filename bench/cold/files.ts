/** What lies in the bucket: many small files in folders, many tiny ones in one folder, a large one. */
import { statSync } from "node:fs";
import { join } from "node:path";

import { KiB, MiB } from "../../src/units.js";
import { shuffled } from "../../test/support/shuffled.js";
import { makeFlat, makeLarge, makeSmall } from "../filesystem/files.js";
import { sum } from "../support/figures.js";

/** How much there is of everything. */
export interface Amounts {
  /** Of 4 to 60 KiB, in 50 folders. */
  pictures: number;
  /** Of 1 KiB, in one folder. */
  notes: number;
  largeBytes: number;
  /** Pictures read at random. */
  sampled: number;
  rounds: number;
}

export const FULL: Amounts = {
  pictures: 5_000,
  notes: 5_000,
  largeBytes: 256 * MiB,
  sampled: 256,
  rounds: 3,
};

/** Enough to see whether something became slow by a factor. */
export const QUICK: Amounts = { pictures: 1_000, notes: 1_000, largeBytes: 64 * MiB, sampled: 64, rounds: 1 };

/** Folders and files below the root of every place. */
export const PICTURES = "pictures";
export const NOTES = "notes";
export const LARGE = "large";

export function makeFiles(folder: string, { pictures, notes, largeBytes }: Amounts): void {
  makeFlat(join(folder, NOTES), notes, 1 * KiB);
  makeSmall(join(folder, PICTURES), pictures);
  makeLarge(join(folder, LARGE), largeBytes);
}

/** Paths of all pictures below the root, in no order that anybody could guess. */
export function shuffledPictures({ pictures }: Amounts): string[] {
  return shuffled(pictures).map(pathOfPicture);
}

export function bytesOf(folder: string, paths: readonly string[]): number {
  return sum(paths.map((path) => statSync(join(folder, path)).size));
}

function pathOfPicture(index: number): string {
  return `${PICTURES}/${index % 50}/file-${index}`;
}
