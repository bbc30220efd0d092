/** Making files durable without keeping anybody waiting: the system calls run in Node's thread pool. */
import { open } from "node:fs/promises";
import { errnoOf } from "../../errors.js";

/** Syncs files and folders one after another; those that are not there have nothing to lose. */
export async function syncAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await syncOne(path);
}

async function syncOne(path: string): Promise<void> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  });
  try {
    await file?.datasync();
  } finally {
    await file?.close();
  }
}
