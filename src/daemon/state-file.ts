/** Small JSON files that say what runs or what is left: written aside, synced, renamed; a damaged one is skipped. */
import { closeSync, fsyncSync, openSync, readFileSync, readdirSync, renameSync, writeSync } from "node:fs";
import type { z } from "zod";
import { errnoOf } from "../errors.js";

export function writeStateFile(path: string, value: unknown): void {
  const aside = `${path}.${process.pid}.new`;
  const descriptor = openSync(aside, "w", 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(value, null, 1)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(aside, path);
}

/** The file's value, or undefined when there is none or it is not what it should be. */
export function readStateFile<Schema extends z.ZodType>(path: string, schema: Schema): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
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
