/** An overlay over a version in memory, in a folder that goes with its test. */
import { tempDir } from "../../support/temp.js";
import type { Scope } from "../../support/cleanup.js";
import { atEnd } from "../../support/cleanup.js";
import { FileSystemError } from "../../../src/fs/errno.js";
import { type OverlayOptions, openOverlay } from "../../../src/fs/overlay/overlay.js";
import { type OverlaySnapshot, openSnapshot } from "../../../src/fs/overlay/snapshot.js";
import { Client } from "./client.js";
import { MemoryBase, type Planned } from "./memory-base.js";

export interface Fixture {
  base: MemoryBase;
  client: Client;
  directory: string;
  /** Opens the same folder again, as after a crash: what was open before is left as it is. */
  reopen: () => Client;
  snapshot: (id?: string) => Promise<OverlaySnapshot>;
}

export async function overlayOver(
  scope: Scope,
  planned: Readonly<Record<string, Planned>>,
  options: OverlayOptions = {},
  base: MemoryBase = new MemoryBase(planned),
): Promise<Fixture> {
  const directory = await tempDir(scope);
  const open = (): Client => {
    const overlay = openOverlay(directory, base, { reserveBytes: 0, ...options });
    atEnd(scope, () => overlay.close());
    return new Client(overlay, base);
  };
  const snapshot = async (id?: string): Promise<OverlaySnapshot> => {
    const opened = await openSnapshot(directory, base.forSnapshot, { snapshot: id });
    atEnd(scope, () => opened.close());
    return opened;
  };
  return { base, client: open(), directory, reopen: open, snapshot };
}

/** Matches the error of an operation. */
export function errno(name: string): (error: unknown) => boolean {
  return (error) => error instanceof FileSystemError && error.errno === name;
}
