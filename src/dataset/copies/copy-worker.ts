/** A thread that writes and compares the files of copies. What it is asked is `copy-jobs.ts`. */
import type { Stats } from "node:fs";
import { DatasetError, errnoOf, isDatasetError, messageOf } from "../../errors.js";
import type { TreePath } from "../../paths.js";
import { textOf } from "../../paths.js";
import { serveJobs } from "../../serve-jobs.js";
import { isAsNoted, noteFacts, standingOf, statOf } from "./compare-files.js";
import { type CopyJobs, FACTS, type Facts } from "./copy-jobs.js";
import {
  adjust,
  beginFile,
  cloneFile,
  endFolder,
  fillFile,
  finishFile,
  fullPath,
  linkFile,
  makeFolder,
  writeEntry,
} from "./write-files.js";

serveJobs<CopyJobs>({
  folders({ place, paths }) {
    for (const path of paths) attempt(path, () => makeFolder(place, path));
    return [undefined];
  },

  write({ place, entries, bytes }) {
    let at = 0;
    return factsOf(entries, (entry) => writeEntry(place, entry, bytes.subarray(at, (at += entry.sizeBytes))));
  },

  begin({ place, entry }) {
    return [attempt(entry.path, () => beginFile(place, entry))];
  },

  fill({ path, at, bytes, holes }) {
    attempt(path, () => fillFile(path, at, bytes, holes));
    return [undefined];
  },

  finish({ place, path, entry }) {
    return factsOf([entry], () => finishFile(place, path, entry));
  },

  clone({ place, entry, from }) {
    return factsOf([entry], () => cloneFile(place, entry, from));
  },

  adjust({ place, entries }) {
    return factsOf(entries, (entry) => adjust(place, entry));
  },

  link({ place, links }) {
    return [links.filter(({ from, to }) => attempt(to, () => linkFile(place, from, to))).length];
  },

  end({ place, folders }) {
    let removed = 0;
    const [facts] = factsOf(
      folders.map(({ entry }) => entry),
      (_, index) => {
        const ended = endFolder(place, folders[index]!);
        removed += ended.removed;
        return ended.stat;
      },
    );
    return [{ facts, removed }];
  },

  facts({ root, paths, facts }) {
    const isChanged = (path: TreePath, index: number) => !isAsNoted(fullPath({ root }, path), facts, index);
    return [paths.flatMap((path, index) => (isChanged(path, index) ? [index] : []))];
  },

  compare({ root, entries }) {
    const standings = entries.map((entry) =>
      attempt(entry.path, () => standingOf(fullPath({ root }, entry.path), entry)),
    );
    const [facts, buffer] = factsOf(entries, ({ path }) => statOf(fullPath({ root }, path)));
    return [{ standings, facts }, buffer];
  },
});

function factsOf<Entry extends { path: TreePath }>(
  entries: readonly Entry[],
  make: (entry: Entry, index: number) => Stats | undefined,
): [Facts, ArrayBuffer] {
  const facts = new Float64Array(entries.length * FACTS);
  entries.forEach((entry, index) =>
    noteFacts(
      facts,
      index,
      attempt(entry.path, () => make(entry, index)),
    ),
  );
  return [facts, facts.buffer];
}

/** Runs one step; a failure of the system names the entry. */
function attempt<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw isDatasetError(error) ? error : unwritable(path, error);
  }
}

function unwritable(path: string, cause: unknown): DatasetError<"disk-full" | "target-unwritable"> {
  const shown = textOf(path);
  const isFull = ["ENOSPC", "EDQUOT"].includes(errnoOf(cause) ?? "");
  if (isFull)
    return new DatasetError("disk-full", { path: shown }, `Cannot write "${shown}": the disk is full`);
  const message = `Cannot write "${shown}": ${messageOf(cause)}`;
  return new DatasetError("target-unwritable", { path: shown }, message, { cause });
}
