/**
 * What this user's folders are copies of: a small file for each in the data folder, found by the inode of the folder and
 * the time it was made, so that a folder that is moved keeps what is known of it and one in its place does not take it over.
 */
import { createHash } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { namesIn, readStateFile, writeStateFile } from "../../daemon/state-file.js";
import { type Home, ensureDir } from "../../home.js";

const schema = z.object({
  format: z.literal(1),
  /** Where it was when this was written. */
  path: z.string(),
  /** Of the version. */
  id: z.string(),
  /** `project/name@label`, with its remote in front where it was read without a catalog. */
  reference: z.string(),
  /** Of what is less than all of the version: what was asked for. */
  selection: z
    .object({
      files: z.array(z.string()).optional(),
      globs: z.array(z.string()).optional(),
      part: z.number().optional(),
      numParts: z.number().optional(),
      links: z.enum(["fetch", "skip"]).optional(),
    })
    .optional(),
  /** `making`: it was begun, and is not whole yet. */
  state: z.enum(["making", "whole"]),
  madeAtMs: z.number(),
});

export type CopyOf = z.infer<typeof schema>;

/** Folders may go without our hearing of it; the oldest records go then. */
const MOST_RECORDS = 1_000;

/** What a folder is a copy of, if that is known. */
export function copyAt(home: Home, path: string): CopyOf | undefined {
  const file = fileOf(home, path);
  return file === undefined ? undefined : readStateFile(file, schema);
}

/** Remembers it. The folder is there. */
export function noteCopy(home: Home, copy: CopyOf): void {
  ensureDir(folderOf(home));
  writeStateFile(fileOf(home, copy.path)!, copy);
  dropOldest(home);
}

function fileOf(home: Home, path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat?.isDirectory()) return undefined;
  const mark = createHash("sha256").update(`${stat.ino} ${stat.birthtimeNs}`).digest("hex").slice(0, 24);
  return join(folderOf(home), `${mark}.json`);
}

function dropOldest(home: Home): void {
  const names = namesIn(folderOf(home));
  if (names.length <= MOST_RECORDS) return;
  const aged = names.map((name) => {
    const file = join(folderOf(home), name);
    return { file, madeAtMs: readStateFile(file, schema)?.madeAtMs ?? 0 };
  });
  aged.sort((a, b) => a.madeAtMs - b.madeAtMs);
  for (const { file } of aged.slice(0, names.length - MOST_RECORDS)) rmSync(file, { force: true });
}

function folderOf({ dataDir }: Home): string {
  return join(dataDir, "copies");
}
