/** Whether two entries of one path are the same, as plain data. In ranges, `range-compare.ts` asks the same in place. */
import { type Entry, EntryType, type FileEntry, type LinkEntry, type SymlinkEntry } from "./entry.js";

/** Whether two entries keep the same, but for where their bytes lie. */
export function sameLogicalEntry(a: Entry, b: Entry): boolean {
  return sameCommon(a, b) && sameXattrs(a.xattrs, b.xattrs) && sameKind(a, b);
}

function sameCommon(a: Entry, b: Entry): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.mtimeSec === b.mtimeSec &&
    a.mtimeNsec === b.mtimeNsec &&
    a.uid === b.uid &&
    a.gid === b.gid
  );
}

type Xattrs = Entry["xattrs"];

function sameXattrs(a: Xattrs, b: Xattrs): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  for (const [name, value] of a ?? []) {
    const other = b?.get(name);
    if (!other || Buffer.compare(value, other) !== 0) return false;
  }
  return true;
}

function sameKind(a: Entry, b: Entry): boolean {
  if (a.type === EntryType.symlink) return sameSymlink(a, b as SymlinkEntry);
  if (a.type === EntryType.file) return sameFile(a, b as FileEntry);
  return a.type === EntryType.link ? sameLink(a, b as LinkEntry) : true;
}

function sameSymlink(a: SymlinkEntry, b: SymlinkEntry): boolean {
  return a.target === b.target && samePaths(a.hardLinks ?? [], b.hardLinks ?? []);
}

function sameFile(a: FileEntry, b: FileEntry): boolean {
  if (a.sizeBytes !== b.sizeBytes || a.sha256 !== b.sha256) return false;
  const [holes, otherHoles] = [a.holes ?? [], b.holes ?? []];
  const sameHoles =
    holes.length === otherHoles.length &&
    holes.every(([start, end], i) => {
      const [otherStart, otherEnd] = otherHoles[i]!;
      return start === otherStart && end === otherEnd;
    });
  return sameHoles && samePaths(a.hardLinks ?? [], b.hardLinks ?? []);
}

function sameLink(a: LinkEntry, b: LinkEntry): boolean {
  return a.sizeBytes === b.sizeBytes && a.url === b.url && a.pin === b.pin && a.sha256 === b.sha256;
}

/** Whether two lists name the same paths in the same order. */
export function samePaths(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((path, i) => path === b[i]);
}
