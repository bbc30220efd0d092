/** Finding entries in the bytes of a range: binary search over groups, then over names. Makes no strings. */
import type { TreePath } from "../paths.js";
import { Field, GROUP_BYTES, type Layout, RECORD_BYTES } from "./range-layout.js";

/** A run of bytes, `[start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** Index of the first entry whose key is not below that of `name` in `parent`; the entry count when there is none. */
export function lowerBound(layout: Layout, parent: TreePath, name: string): number {
  const group = groupLowerBound(layout, parent);
  return isGroup(layout, group, parent) ? boundInGroup(layout, group, name) : startOfGroup(layout, group);
}

/** Index of the entry `name` in `parent`, or -1. */
export function indexOf(layout: Layout, parent: TreePath, name: string): number {
  const group = groupLowerBound(layout, parent);
  if (!isGroup(layout, group, parent)) return -1;
  const at = boundInGroup(layout, group, name);
  return at < startOfGroup(layout, group + 1) && compareName(layout, at, name) === 0 ? at : -1;
}

/** Index of the first entry of a group whose name is not below `name`; the group's end when there is none. */
function boundInGroup(layout: Layout, group: number, name: string): number {
  let low = startOfGroup(layout, group);
  let high = startOfGroup(layout, group + 1);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareName(layout, middle, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first group whose directory does not sort before `parent`. */
export function groupLowerBound(layout: Layout, parent: TreePath): number {
  let low = 0;
  let high = layout.groupCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareGroup(layout, middle, parent) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether there is a group of this number and it is the directory `parent`. */
export function isGroup(layout: Layout, group: number, parent: TreePath): boolean {
  return group < layout.groupCount && compareGroup(layout, group, parent) === 0;
}

/** The group of an entry: the last one that does not start after it. `hint` is tried first. */
export function groupOf(layout: Layout, index: number, hint: number): number {
  if (startOfGroup(layout, hint) <= index && index < startOfGroup(layout, hint + 1)) return hint;
  let low = 0;
  let high = layout.groupCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (startOfGroup(layout, middle) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of a group's first entry; the entry count beyond the last group. */
export function startOfGroup(layout: Layout, group: number): number {
  if (group >= layout.groupCount) return layout.entryCount;
  return layout.view.getUint16(layout.groups + group * GROUP_BYTES + 6, true);
}

/** Where the path of a group lies in the range's bytes, as `[start, end)`. */
export function pathSpan({ view, groups, heap }: Layout, group: number): Span {
  const at = groups + group * GROUP_BYTES;
  const start = heap + view.getUint32(at, true);
  return { start, end: start + view.getUint16(at + 4, true) };
}

/** Where the name of an entry lies in the range's bytes, as `[start, end)`. */
export function nameSpan({ bytes, view, records, heap }: Layout, index: number): Span {
  const record = records + index * RECORD_BYTES;
  const start = heap + view.getUint32(record + Field.name, true);
  return { start, end: start + bytes[record + Field.nameLength]! };
}

function compareGroup(layout: Layout, group: number, path: TreePath): number {
  const { start, end } = pathSpan(layout, group);
  return compareBytes(layout.bytes, start, end - start, path);
}

function compareName(layout: Layout, index: number, name: string): number {
  const { start, end } = nameSpan(layout, index);
  return compareBytes(layout.bytes, start, end - start, name);
}

/** Compares bytes of a buffer with a byte string, as `compareKeys` does. */
function compareBytes(bytes: Buffer, start: number, length: number, text: string): number {
  const shorter = Math.min(length, text.length);
  for (let i = 0; i < shorter; i++) {
    const difference = bytes[start + i]! - text.charCodeAt(i);
    if (difference !== 0) return difference;
  }
  return length - text.length;
}
