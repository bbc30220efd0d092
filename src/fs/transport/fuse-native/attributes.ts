/** Callbacks on what `stat` shows, and on the file system as a whole. */
import type { AttributeChanges } from "../../filesystem.js";
import type { Answer, FuseOperations } from "./library.js";
import type { Served } from "./operations.js";
import { statOf, statvfsOf, timeOf } from "./translate.js";
import { walking } from "./walk.js";

type AttributeOperations = Pick<
  FuseOperations,
  "getattr" | "statfs" | "truncate" | "utimens" | "chmod" | "chown"
>;

const PERMISSION_BITS = 0o7777;
/** How `chown(2)` says "leave it". */
const UNCHANGED_ID = 2 ** 32 - 1;

export function attributeOperations({ fileSystem, run }: Served): AttributeOperations {
  const change = (name: string, path: string, changes: AttributeChanges, answer: Answer) =>
    run.done(
      name,
      () => walking(fileSystem, (walk) => fileSystem.setattr(walk.at(path).ino, changes)),
      answer,
    );
  return {
    getattr: (path, answer) =>
      run.value("getattr", () => walking(fileSystem, (walk) => statOf(walk.at(path))), answer),
    statfs: (_path, answer) => run.value("statfs", () => statvfsOf(fileSystem.statfs()), answer),
    truncate: (path, sizeBytes, answer) => change("truncate", path, { sizeBytes }, answer),
    utimens: (path, _atimeMs, mtimeMs, answer) => change("utimens", path, { mtime: timeOf(mtimeMs) }, answer),
    chmod: (path, mode, answer) => change("chmod", path, { mode: mode & PERMISSION_BITS }, answer),
    chown: (path, uid, gid, answer) => change("chown", path, ownersOf(uid, gid), answer),
  };
}

function ownersOf(uid: number, gid: number): AttributeChanges {
  return { ...(uid === UNCHANGED_ID ? {} : { uid }), ...(gid === UNCHANGED_ID ? {} : { gid }) };
}
