/** Callbacks on names: listing, making, linking, renaming and removing them. */
import { bytesOfText } from "../../../paths.js";
import { FileSystemError } from "../../errno.js";
import type { Caller, Ino } from "../../filesystem.js";
import type { Answer, FuseOperations, Stat } from "./library.js";
import type { Served } from "./operations.js";
import { exactTextOf, isHiddenName, statOf } from "./translate.js";
import { type Walk, walking } from "./walk.js";

type NameOperations = Pick<
  FuseOperations,
  "readdir" | "readlink" | "mknod" | "mkdir" | "symlink" | "link" | "unlink" | "rmdir" | "rename"
>;

export function nameOperations(served: Served): NameOperations {
  const { fileSystem, run } = served;
  const change = (name: string, answer: Answer, use: (walk: Walk) => void) =>
    run.done(name, () => walking(fileSystem, use), answer);
  return {
    readdir: (path, answer) => readdir(served, path, answer),
    readlink: (path, answer) => run.value("readlink", () => targetText(served, path), answer),
    mknod: (path, mode, rdev, answer) =>
      change("mknod", answer, (walk) =>
        walk.made(fileSystem.mknod(...walk.place(path), mode, rdev, callerHere())),
      ),
    mkdir: (path, mode, answer) =>
      change("mkdir", answer, (walk) => walk.made(fileSystem.mkdir(...walk.place(path), mode, callerHere()))),
    symlink: (target, path, answer) =>
      change("symlink", answer, (walk) =>
        walk.made(fileSystem.symlink(...walk.place(path), bytesOfText(target), callerHere())),
      ),
    link: (path, newPath, answer) =>
      change("link", answer, (walk) => walk.made(fileSystem.link(walk.at(path).ino, ...walk.place(newPath)))),
    unlink: (path, answer) => change("unlink", answer, (walk) => fileSystem.unlink(...walk.heldPlace(path))),
    rmdir: (path, answer) => change("rmdir", answer, (walk) => fileSystem.rmdir(...walk.heldPlace(path))),
    rename: (path, newPath, answer) =>
      change("rename", answer, (walk) =>
        fileSystem.rename(...walk.place(path), ...walk.heldPlace(newPath), 0),
      ),
  };
}

/** Who asks does not arrive here: the user who mounted. The kernel has applied the umask already. */
export function callerHere(): Caller {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, pid: 0, umask: 0 };
}

interface Listing {
  names: string[];
  stats: Stat[];
  /** Where to go on after what was missing has been fetched, rather than from the start. */
  cookie: number;
}

/** A listing is asked for as a whole. */
function readdir(served: Served, path: string, answer: Parameters<FuseOperations["readdir"]>[1]): void {
  const { fileSystem, run } = served;
  const listing: Listing = { names: [], stats: [], cookie: 0 };
  const list = () => walking(fileSystem, (walk) => extend(served, listing, path, walk.at(path).ino));
  run.done("readdir", list, (code) => answer(code, listing.names, listing.stats));
}

/** Names that cannot be passed on, and those libfuse made for itself, are left out. */
function extend({ fileSystem, leftOut }: Served, listing: Listing, path: string, ino: Ino): void {
  fileSystem.readdir(ino, listing.cookie, (name, attributes, cookie) => {
    const text = exactTextOf(name);
    if (text === undefined) leftOut(name, path);
    else if (!isHiddenName(text)) {
      listing.names.push(text);
      listing.stats.push(statOf(attributes));
    }
    listing.cookie = cookie;
    return true;
  });
}

function targetText({ fileSystem }: Served, path: string): string {
  const text = exactTextOf(walking(fileSystem, (walk) => fileSystem.readlink(walk.at(path).ino)));
  if (text === undefined) throw new FileSystemError("EIO", "the target is not UTF-8");
  return text;
}
