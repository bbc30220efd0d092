/** Workloads on the bytes of files. */
import { closeSync, existsSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

import { KiB, MiB } from "../../src/units.js";
import { shuffled } from "../../test/support/shuffled.js";
import { type Amounts, COPIED, LARGE, PRINTED } from "./files.js";
import type { Place } from "./places.js";
import { type Workload, firstAndAgain, shell } from "./workload.js";

const MEGABYTE = 1_000_000;
const PAGE_BYTES = 4 * KiB;
const BUFFER = Buffer.alloc(1 * MiB, "varve");
const WRITTEN = "written";

/**
 * Copies are kept until the end: for some seconds after files were deleted, ext4 is slow to make others.
 *
 * @param scratch A folder on the local disk for what is copied out of the places.
 */
export function workloadsOfBytes(amounts: Amounts, scratch: string): Workload[] {
  return [...smallFiles(amounts, scratch), ...reads(amounts), ...writes(amounts)];
}

function smallFiles({ copied, printed }: Amounts, scratch: string): Workload[] {
  const [needs, unit] = ["files", "files"] as const;
  let copies = 0;
  const goal = { timesLocal: 1.5 };
  return [
    ...firstAndAgain(
      {
        ...{ what: `cp -r of ${copied} small files`, needs, unit, count: copied },
        run: ({ path }) => shell('cp -r "$1" "$2"', join(path, COPIED), join(scratch, `copy-${++copies}`)),
      },
      { first: goal, again: goal },
    ),
    ...firstAndAgain({
      ...{ what: `cat of ${printed}`, needs, unit, count: printed },
      run: ({ path }) => shell('cat "$1"/*', join(path, PRINTED)),
    }),
  ];
}

function reads({ largeBytes, random }: Amounts): Workload[] {
  const pages = shuffled(largeBytes / PAGE_BYTES).slice(0, random);
  const again = { timesLocal: 1 / 0.8 };
  return [
    ...firstAndAgain(
      {
        ...{ what: "read the large file in order", needs: "large", unit: "MB", count: largeBytes / MEGABYTE },
        run: ({ path }) => readInOrder(join(path, LARGE)),
      },
      { first: { timesBare: 1 / 0.9 }, again },
    ),
    ...firstAndAgain(
      {
        ...{ what: `${random} random reads of 4 KiB`, needs: "large", unit: "calls", count: random },
        run: ({ path }) => readPages(join(path, LARGE), pages),
      },
      { again },
    ),
  ];
}

/** What is written is closed, so it has left the page cache of a mount when the clock stops. */
function writes({ largeBytes, random }: Amounts): Workload[] {
  const common = { needs: "changes", unit: "MB", isFirst: false, count: largeBytes / MEGABYTE } as const;
  const pages = shuffled(largeBytes / PAGE_BYTES).slice(0, random);
  const calls = { unit: "calls", count: random } as const;
  const path = (place: Place) => join(place.path, WRITTEN);
  const remove = (place: Place) => rmSync(path(place), { force: true });
  const write = (blockBytes: number) => (place: Place) => writeInOrder(path(place), largeBytes, blockBytes);
  return [
    { ...common, what: "write as much, 1 MiB at a time, first time", before: remove, run: write(1 * MiB) },
    { ...common, what: "write as much, 1 MiB at a time, again", run: write(1 * MiB) },
    {
      ...{ ...common, what: "write as much, 4 KiB at a time", goal: { perSecond: 500 } },
      before: remove,
      run: write(PAGE_BYTES),
    },
    {
      ...{ ...common, ...calls, what: `${random} random writes of 4 KiB into it` },
      before: (place) => existsSync(path(place)) || write(1 * MiB)(place),
      run: (place) => writePages(path(place), pages),
    },
    {
      ...{ ...common, ...calls, what: `${random} random writes of 4 KiB into the large file` },
      run: (place) => writePages(join(place.path, LARGE), pages),
    },
  ];
}

function readInOrder(path: string): void {
  withFile(path, "r", (fd) => {
    while (readSync(fd, BUFFER) > 0);
  });
}

function readPages(path: string, pages: readonly number[]): void {
  withFile(path, "r", (fd) => {
    for (const page of pages) readSync(fd, BUFFER, 0, PAGE_BYTES, page * PAGE_BYTES);
  });
}

/** Over what is there, without emptying it first. */
function writeInOrder(path: string, sizeBytes: number, blockBytes: number): void {
  withFile(path, "a+", () => undefined);
  withFile(path, "r+", (fd) => {
    for (let at = 0; at < sizeBytes; at += blockBytes) writeSync(fd, BUFFER, 0, blockBytes, at);
  });
}

function writePages(path: string, pages: readonly number[]): void {
  withFile(path, "r+", (fd) => {
    for (const page of pages) writeSync(fd, BUFFER, 0, PAGE_BYTES, page * PAGE_BYTES);
  });
}

function withFile(path: string, flags: string, work: (fd: number) => void): void {
  const fd = openSync(path, flags);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
