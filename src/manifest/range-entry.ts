/**
 * An entry of a range as an object. Objects are written out field by field: spread ones (`{ ...common }`) take V8
 * 20 times as long to make, and then to read.
 */
import { type Entry, EntryType, type FileEntry, type LinkEntry, type SymlinkEntry } from "./entry.js";
import type { Extras } from "./extras.js";
import type { Range } from "./range-view.js";

export function entryOf(range: Range, index: number): Entry {
  const extras = range.extrasAt(index);
  const entry = plainEntryOf(range, index, extras);
  if (extras?.xattrs) entry.xattrs = extras.xattrs;
  return entry;
}

function plainEntryOf(range: Range, index: number, extras: Extras | undefined): Entry {
  const type = range.typeAt(index);
  if (type === EntryType.file) return fileOf(range, index, extras);
  if (type === EntryType.link) return linkOf(range, index, extras!);
  const path = range.pathAt(index);
  const mode = range.modeAt(index);
  const mtimeSec = range.mtimeSecAt(index);
  const mtimeNsec = range.mtimeNsecAt(index);
  const uid = range.uidAt(index);
  const gid = range.gidAt(index);
  if (type === EntryType.directory) return { path, type, mode, mtimeSec, mtimeNsec, uid, gid };
  const symlink: SymlinkEntry = { path, type, mode, mtimeSec, mtimeNsec, uid, gid, target: extras!.target! };
  if (extras?.hardLinks) symlink.hardLinks = extras.hardLinks;
  return symlink;
}

function fileOf(range: Range, index: number, extras: Extras | undefined): FileEntry {
  const file: FileEntry = {
    path: range.pathAt(index),
    type: EntryType.file,
    mode: range.modeAt(index),
    mtimeSec: range.mtimeSecAt(index),
    mtimeNsec: range.mtimeNsecAt(index),
    uid: range.uidAt(index),
    gid: range.gidAt(index),
    sizeBytes: range.sizeAt(index),
    sha256: range.sha256At(index)!,
    chunks: range.chunksAt(index),
  };
  if (extras?.holes) file.holes = extras.holes;
  if (extras?.hardLinks) file.hardLinks = extras.hardLinks;
  return file;
}

function linkOf(range: Range, index: number, { url, pin }: Extras): LinkEntry {
  const link: LinkEntry = {
    path: range.pathAt(index),
    type: EntryType.link,
    mode: range.modeAt(index),
    mtimeSec: range.mtimeSecAt(index),
    mtimeNsec: range.mtimeNsecAt(index),
    uid: range.uidAt(index),
    gid: range.gidAt(index),
    sizeBytes: range.sizeAt(index),
    url: url!,
    pin: pin!,
  };
  const sha256 = range.sha256At(index);
  if (sha256 !== undefined) link.sha256 = sha256;
  return link;
}
