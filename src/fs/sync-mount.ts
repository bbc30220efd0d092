/** Has the kernel write back what programs wrote to a mount and it still holds. */
import { open } from "node:fs/promises";

import { DatasetError } from "../errors.js";
import { syncFileSystem } from "./transport/kernel/syscalls.js";

/** `syncfs(2)` of a mounted folder. Never from the thread that has to answer the writes. */
export async function syncMount(mountpoint: string): Promise<void> {
  await whileOpen(mountpoint, (sync) => sync());
}

/** Gives a function that syncs the mount and asks it for no name, which might have to wait. */
export async function whileOpen<T>(
  mountpoint: string,
  during: (sync: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const root = await open(mountpoint);
  try {
    return await during(async () => {
      const problem = await syncFileSystem(root.fd);
      if (problem) throw unsynced(mountpoint, problem);
    });
  } finally {
    await root.close();
  }
}

function unsynced(path: string, problem: string): DatasetError<"unsupported"> {
  const message = `Cannot write back what was written to "${path}": the kernel says ${problem}`;
  return new DatasetError("unsupported", { what: "syncfs" }, message);
}
