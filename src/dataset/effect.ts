/** What an edit changes in the tree it is laid over: the content that `sync` looks for, only the rest, or nothing. */
import { type Entry, EntryType, type LinkEntry } from "../manifest/entry.js";
import { sameLogicalEntry } from "../manifest/entry-compare.js";
import { Effect } from "./staging.js";

/** How an entry differs from the one it takes the place of. */
export function effectOf(before: Entry | undefined, after: Entry): Effect {
  if (!before || !sameContent(before, after)) return Effect.content;
  return sameLogicalEntry(before, after) ? Effect.none : Effect.metadata;
}

/** Whether the content digest would see no difference. */
function sameContent(a: Entry, b: Entry): boolean {
  if (a.type === EntryType.directory) return b.type === a.type;
  if (a.type === EntryType.symlink) return b.type === a.type && b.target === a.target;
  if (a.type === EntryType.link) return b.type === a.type && sameSource(a, b);
  return (
    b.type === a.type &&
    a.sizeBytes === b.sizeBytes &&
    a.sha256 === b.sha256 &&
    isExecutable(a) === isExecutable(b)
  );
}

function sameSource(a: LinkEntry, b: LinkEntry): boolean {
  if (a.sizeBytes !== b.sizeBytes || a.sha256 !== b.sha256) return false;
  return a.sha256 !== undefined || (a.url === b.url && a.pin === b.pin);
}

function isExecutable({ mode }: Entry): boolean {
  return (mode & 0o111) !== 0;
}
