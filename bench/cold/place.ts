/** A place that shows the files of the bucket: a mount that is made, cold or over its cache, and taken away. */
import { mkdirSync, rmSync } from "node:fs";

import { forgetPages } from "./page-cache.js";

export interface Place {
  readonly name: string;
  /** Where the files are, once it is mounted. */
  readonly path: string;
  /** Folders it keeps what it fetched in. */
  readonly caches: readonly string[];
  /** The process that serves it; 0 where none does. */
  pid: number;
  mount(): Promise<void>;
  /** Of what is not mounted, nothing. */
  unmount(): Promise<void>;
  /** Seconds for reading the large file, where that is all it does; it shows no files. */
  readLarge?: () => Promise<number>;
}

/** Takes the mount away and its caches with it. */
export async function makeCold(place: Place): Promise<void> {
  await place.unmount();
  for (const cache of place.caches) rmSync(cache, { recursive: true, force: true });
}

/** Takes the mount away; its caches stay, on disk and nowhere else. */
export async function makeWarm(place: Place): Promise<void> {
  await place.unmount();
  place.caches.forEach(forgetPages);
}

/** The files themselves, for scale. */
export function localDisk(path: string): Place {
  const nothing = async () => undefined;
  mkdirSync(path, { recursive: true });
  return {
    name: "local disk",
    path,
    caches: [],
    pid: 0,
    mount: nothing,
    unmount: async () => forgetPages(path),
  };
}
