/** A file that varve wrote, whose content a test replaces. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface HostileFile {
  original: Uint8Array;
  write(bytes: Uint8Array): void;
}

/** The one file of a folder with this ending. */
export function openHostileFile(folder: string, ending: string): HostileFile {
  const path = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(ending))!,
  );
  return { original: readFileSync(path), write: (bytes) => writeFileSync(path, bytes) };
}
