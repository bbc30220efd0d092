/** Where what is made offline lies: bundles, and beside them the catalog and the drafts that only they know. Pure. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Home } from "../home.js";

/** Whether `VARVE_OFFLINE` says so. */
export function isOfflineBy(env: Readonly<Record<string, string | undefined>>): boolean {
  return ["1", "true", "yes", "on"].includes((env["VARVE_OFFLINE"] ?? "").toLowerCase());
}

/** The folders of the offline session of a user. */
export function sessionHome(home: Home): Home {
  const { offlineDir } = home;
  return { ...home, catalogPath: join(offlineDir, "catalog.db"), draftsDir: join(offlineDir, "drafts") };
}

/** Whether a remote is a bundle made on this machine. */
export function isBundleUrl({ offlineDir }: Home, url: string): boolean {
  return url.startsWith(`${pathToFileURL(offlineDir).href}/`);
}
