/** What people do with a dataset they have not read yet, and what is to be reached (design, section 10). */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { shell } from "../filesystem/workload.js";
import { type Amounts, LARGE, NOTES, PICTURES, bytesOf, shuffledPictures } from "./files.js";
import type { Place } from "./place.js";
import { KiB } from "../../src/units.js";

/** Bounds, of which the seconds are meant for 15 ms a request. */
export interface Goal {
  seconds?: number;
  requests?: number;
  /** Bytes fetched for each byte asked for. */
  amplification?: number;
  /** Seconds as a multiple of the bare SDK's. */
  timesBare?: number;
}

export interface Workload {
  what: string;
  /** Bytes of the files it reads; 0 where it asks for names alone. */
  asksBytes: number;
  goal: Goal;
  /** Whether making the mount is a part of it. */
  mounts?: boolean;
  /** Whether all that is read is the large file, so that even a place that shows no other can take part. */
  isLarge?: boolean;
  /** What is to be reached when it is done again by the next mount, over the cache. */
  again?: Goal;
  run: (place: Place) => unknown;
}

const READERS = 16;

/**
 * Copies are kept until the end: for some seconds after files were deleted, ext4 is slow to make others.
 *
 * @param files The files themselves. @param scratch A folder on the local disk for what is copied out of the places.
 */
export function workloadsOf(amounts: Amounts, files: string, scratch: string): Workload[] {
  return [
    ...ofNames(amounts),
    ...inOrder(amounts, files, scratch),
    ...inNoOrder(amounts, files),
    large(amounts),
  ];
}

function ofNames({ pictures, notes }: Amounts): Workload[] {
  const asksBytes = 0;
  return [
    {
      ...{ what: "mount to first ls", asksBytes, goal: { seconds: 0.3 }, mounts: true },
      run: async (place) => {
        await place.mount();
        shell('ls "$1"', place.path);
      },
    },
    {
      ...{ what: `ls -l of ${notes}, first`, asksBytes, goal: { seconds: 0.15 } },
      run: ({ path }) => shell('ls -l "$1"', join(path, NOTES)),
    },
    {
      ...{ what: `find over ${pictures + notes + 1}`, asksBytes, goal: { seconds: 0.1 } },
      run: ({ path }) => shell('find "$1"', path),
    },
  ];
}

function inOrder(amounts: Amounts, files: string, scratch: string): Workload[] {
  const { pictures, notes } = amounts;
  let copies = 0;
  return [
    {
      what: `cp -r of ${pictures} small files`,
      asksBytes: bytesOf(files, shuffledPictures(amounts)),
      ...{ goal: { seconds: 5 }, again: { seconds: 3 } },
      run: ({ path }) => shell('cp -r "$1" "$2"', join(path, PICTURES), join(scratch, `copy-${++copies}`)),
    },
    {
      ...{ what: `cat of ${notes} x 1 KiB`, asksBytes: notes * KiB, goal: { seconds: 2 } },
      run: ({ path }) => shell('cat "$1"/*', join(path, NOTES)),
    },
  ];
}

function inNoOrder(amounts: Amounts, files: string): Workload[] {
  const { pictures, sampled } = amounts;
  const all = shuffledPictures(amounts);
  const some = all.slice(0, sampled);
  return [
    {
      what: `all ${pictures} shuffled, ${READERS} processes`,
      ...{ asksBytes: bytesOf(files, all), goal: { seconds: 2 } },
      run: ({ path }) => readByMany(path, all),
    },
    {
      what: `${sampled} at random, ${READERS} readers`,
      asksBytes: bytesOf(files, some),
      goal: { seconds: 0.8, requests: sampled + 10, amplification: 3 },
      run: ({ path }) => readByMany(path, some),
    },
  ];
}

/** The large file from its beginning to its end. */
export function large({ largeBytes }: Pick<Amounts, "largeBytes">): Workload {
  const goal = { seconds: 0.8, timesBare: 1.5 };
  return {
    ...{ what: `${largeBytes / KiB / KiB} MiB in one file`, asksBytes: largeBytes, goal, isLarge: true },
    run: (place) =>
      place.readLarge?.() ?? shell('dd if="$1" of=/dev/null bs=1M status=none', join(place.path, LARGE)),
  };
}

/** Each process reads its share, one file after another. */
function readByMany(folder: string, paths: readonly string[]): void {
  const share = Math.ceil(paths.length / READERS);
  const args = ["-0", "-P", String(READERS), "-n", String(share), "cat"];
  execFileSync("xargs", args, { cwd: folder, input: paths.join("\0"), stdio: ["pipe", "ignore", "inherit"] });
}
