/** Makes the kernel forget what it holds in memory of files, so that they are read from disk again. */
import { closeSync, existsSync, fdatasyncSync, readdirSync } from "node:fs";
import { join } from "node:path";

import koffi from "koffi";

import { openIfThere } from "../../src/cache/open-files.js";

const adviseCall = koffi
  .load(null)
  .func("int posix_fadvise(int fd, long offset, long length, int advice)") as unknown as (
  ...values: number[]
) => number;
/** `POSIX_FADV_DONTNEED` on Linux; only what is on disk already can be forgotten. */
const DONT_NEED = 4;

/** Of all files below a folder, where there is one. */
export function forgetPages(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) forgetFile(join(entry.parentPath, entry.name));
}

/** Who was just unmounted may still be removing files of its own. */
function forgetFile(path: string): void {
  const fd = openIfThere(path);
  if (fd === undefined) return;
  try {
    fdatasyncSync(fd);
    adviseCall(fd, 0, 0, DONT_NEED);
  } finally {
    closeSync(fd);
  }
}
