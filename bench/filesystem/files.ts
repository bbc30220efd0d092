/** The folder all places show: many files to list, small ones to copy and to print, a large one to stream. */
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import { KiB, MiB } from "../../src/units.js";

/** How much there is of everything. */
export interface Amounts {
  listed: number;
  copied: number;
  printed: number;
  largeBytes: number;
  /** Reads and writes of 4 KiB at random. */
  random: number;
  made: number;
  rounds: number;
}

export const FULL: Amounts = {
  listed: 10_000,
  copied: 5_000,
  printed: 5_000,
  largeBytes: 1024 * MiB,
  random: 20_000,
  made: 10_000,
  rounds: 5,
};

/** Enough to see whether something became slow by a factor. */
export const QUICK: Amounts = {
  listed: 2_000,
  copied: 1_000,
  printed: 1_000,
  largeBytes: 128 * MiB,
  random: 4_000,
  made: 2_000,
  rounds: 1,
};

/** Folders and files below the root of every place. */
export const LISTED = "listed";
export const COPIED = "copied";
export const PRINTED = "printed";
export const LARGE = "large";

const COPIED_FOLDERS = 50;
const WRITTEN_BYTES = 16 * MiB;

export function makeFiles(folder: string, amounts: Amounts): void {
  makeFlat(join(folder, LISTED), amounts.listed, 16);
  makeFlat(join(folder, PRINTED), amounts.printed, 1 * KiB);
  makeSmall(join(folder, COPIED), amounts.copied);
  makeLarge(join(folder, LARGE), amounts.largeBytes);
}

/** Files of one size in one folder. */
export function makeFlat(folder: string, count: number, sizeBytes: number): void {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index++)
    writeFileSync(join(folder, `file-${index}`), randomBytes(sizeBytes));
}

/** 4 to 60 KiB each in 50 folders, as small pictures are. */
export function makeSmall(folder: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const place = join(folder, String(index % COPIED_FOLDERS));
    if (index < COPIED_FOLDERS) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `file-${index}`), randomBytes(4 * KiB + ((index * 7919) % (56 * KiB))));
  }
}

export function makeLarge(path: string, sizeBytes: number): void {
  const fd = openSync(path, "w");
  for (let at = 0; at < sizeBytes; at += WRITTEN_BYTES) writeSync(fd, randomBytes(WRITTEN_BYTES));
  closeSync(fd);
}

/** How many files and folders `makeFiles` makes, the root among them. */
export function entriesOf({ listed, copied, printed }: Amounts): number {
  return listed + copied + printed + COPIED_FOLDERS + 5;
}
