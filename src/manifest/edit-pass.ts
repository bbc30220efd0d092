/**
 * One walk over a base with edits beside it, in the order of keys. Ranges that no edit touches are taken over unread
 * whenever the new tree stands at a cut where they start.
 */
import type { Chunk, Sha256 } from "../content/chunk.js";
import type { Relocate } from "./edit.js";
import type { EditSource } from "./edit-source.js";
import type { LinkLedger } from "./edit-links.js";
import type { ParentGuard } from "./edit-parents.js";
import { type Entry, EntryType, isLinkable } from "./entry.js";
import { sameLogicalEntry } from "./entry-compare.js";
import type { Key } from "./key.js";
import type { Range } from "./range-view.js";
import type { TreeBuilder } from "./tree-builder.js";
import type { TreeReader } from "./tree-reader.js";

export interface EditPass {
  base: TreeReader;
  edits: EditSource;
  builder: TreeBuilder;
  guard: ParentGuard;
  links: LinkLedger;
  relocate: Relocate;
}

/** Builds the edited tree. Costs the ranges touched and one reference for each of the others. */
export async function runPass(pass: EditPass): Promise<void> {
  const { table } = pass.base;
  for (let number = 0; number < table.rangeCount; number++) {
    const end = table.firstKeyAt(number + 1);
    if (canReuse(pass, table.firstKeyAt(number), end)) pass.builder.reuse(table.rangeAt(number));
    else await rebuildRange(pass, number, end);
  }
  await putBefore(pass, undefined);
  await pass.builder.finish();
}

/** INVARIANT: every range of a base but its last is closed by the cut rule, and edits after the last touch the last. */
function canReuse({ builder, edits, guard }: EditPass, start: string, end: string): boolean {
  const concerned = guard.concerns(start, end);
  return builder.atCut && edits.key >= end && !concerned;
}

async function rebuildRange(pass: EditPass, number: number, end: string): Promise<void> {
  const { base, builder, edits } = pass;
  const range = await base.range(number);
  const moved = await pass.relocate(range);
  builder.expect(base.table.rangeAt(number));
  for (let index = 0; index < range.count; index++) {
    const key = range.keyAt(index);
    if (edits.key < key) await putBefore(pass, key);
    const entry = edits.key === key ? await edited(pass, range, index) : kept(pass, range, index);
    const ended = entry && builder.add(relocated(entry, moved), key);
    if (ended) await ended;
  }
  await putBefore(pass, end);
}

/** Applies the edits of paths that the base does not have and whose keys sort before `end`; all of them without it. */
async function putBefore({ edits, builder, guard, links }: EditPass, end: string | undefined): Promise<void> {
  while (edits.next && (end === undefined || edits.key < end)) {
    const { next: edit, key } = edits;
    const advanced = edits.advance();
    if (advanced) await advanced;
    if (edit.type === 0) continue;
    const checked = guard.put(edit, 0);
    if (checked) await checked;
    const ended = builder.add(links.put(edit, undefined), key as Key);
    if (ended) await ended;
  }
}

function relocated(entry: Entry, moved: ReadonlyMap<Sha256, Chunk>): Entry {
  if (moved.size === 0 || entry.type !== EntryType.file) return entry;
  return { ...entry, chunks: entry.chunks.map((chunk) => moved.get(chunk.hash) ?? chunk) };
}

function kept({ guard }: EditPass, range: Range, index: number): Entry {
  const entry = range.entryAt(index);
  guard.kept(entry.path);
  return entry;
}

/** What the next edit makes of an entry of the base: nothing, the edit's entry, or the base's where that says the same. */
async function edited(
  { edits, guard, links }: EditPass,
  range: Range,
  index: number,
): Promise<Entry | undefined> {
  const edit = edits.next!;
  await edits.advance();
  const before = range.typeAt(index);
  const linksBefore = isLinkable({ type: before }) ? range.extrasAt(index)?.hardLinks : undefined;
  if (edit.type === 0) {
    guard.removed(edit.path, before);
    links.removed(edit.path, linksBefore);
    return undefined;
  }
  await guard.put(edit, before);
  const entry = links.put(edit, linksBefore);
  const base = range.entryAt(index);
  return sameLogicalEntry(base, entry) ? base : entry;
}
