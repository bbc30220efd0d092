/** Small JSON files that say what runs or what is left: written aside, synced, renamed; a damaged one is skipped. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { z } from "zod";
import { DatasetError, errnoOf, isDatasetError } from "../errors.js";
import { refuseNewer } from "../format.js";

/** Replaces the file, or leaves it as it is. @throws {DatasetError} `disk-full` */
export function writeStateFile(path: string, value: unknown): void {
  const aside = `${path}.${process.pid}.new`;
  try {
    writeSynced(aside, `${JSON.stringify(value, null, 1)}\n`);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw errnoOf(error) === "ENOSPC" ? full(path, error) : error;
  }
}

function writeSynced(path: string, text: string): void {
  const descriptor = openSync(path, "w", 0o600);
  try {
    writeFileSync(descriptor, text); // All of it, though a disk that fills up takes a part first.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function full(path: string, cause: unknown): DatasetError<"disk-full"> {
  return new DatasetError("disk-full", { path }, `Cannot write "${path}": the disk is full`, { cause });
}

/** The file's value, or undefined when there is none or it is not what it should be. */
export function readStateFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}

/** Refuses a file that `readStateFile` skips since a newer varve wrote it. @throws {DatasetError} `format-newer` */
export function refuseNewerState(path: string, known: number, words: string): void {
  try {
    refuseNewer(JSON.parse(readFileSync(path, "utf8")), known, words, path);
  } catch (error) {
    if (isDatasetError(error)) throw error; // Else it is not there, or damaged.
  }
}

/** Names in a folder, none when it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
