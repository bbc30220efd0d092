/** Callbacks on names: listing, making, linking, renaming and removing them. */
import { bytesOfText } from "../../../paths.js";
import { FileSystemError } from "../../errno.js";
import type { Attributes, Caller, Ino } from "../../filesystem.js";
import type { FuseOperations, Stat } from "./library.js";
import type { Served } from "./operations.js";
import { exactTextOf, isHiddenName, statOf } from "./translate.js";
import { type Place, type Walk, walking } from "./walk.js";

type NameOperations = Pick<
  FuseOperations,
  "readdir" | "readlink" | "mknod" | "mkdir" | "symlink" | "link" | "unlink" | "rmdir" | "rename"
>;

export function nameOperations(served: Served): NameOperations {
  const { fileSystem, run } = served;
  const walk = <T>(use: (walk: Walk) => T) => walking(fileSystem, use);
  const make = (path: string, maker: (place: Place) => Attributes) =>
    walk((walk) => walk.made(maker(walk.place(path))));
  return {
    readdir: (path, answer) => {
      const listing: Listing = { names: [], stats: [], cookie: 0 };
      const list = () => walk((walk) => extend(served, listing, path, walk.at(path).ino));
      run.done("readdir", list, (code) => answer(code, listing.names, listing.stats));
    },
    readlink: (path, answer) =>
      run.value("readlink", () => walk((walk) => linkText(served, walk.at(path).ino)), answer),
    mknod: (path, mode, rdev, answer) =>
      run.done(
        "mknod",
        () => make(path, ({ parent, name }) => fileSystem.mknod(parent, name, mode, rdev, callerHere())),
        answer,
      ),
    mkdir: (path, mode, answer) =>
      run.done(
        "mkdir",
        () => make(path, ({ parent, name }) => fileSystem.mkdir(parent, name, mode, callerHere())),
        answer,
      ),
    symlink: (target, path, answer) => {
      const bytes = bytesOfText(target);
      run.done(
        "symlink",
        () => make(path, ({ parent, name }) => fileSystem.symlink(parent, name, bytes, callerHere())),
        answer,
      );
    },
    link: (path, newPath, answer) =>
      run.done("link", () => walk((walk) => link(served, walk, path, newPath)), answer),
    unlink: (path, answer) =>
      run.done(
        "unlink",
        () => walk((walk) => remove(walk, path, ({ parent, name }) => fileSystem.unlink(parent, name))),
        answer,
      ),
    rmdir: (path, answer) =>
      run.done(
        "rmdir",
        () => walk((walk) => remove(walk, path, ({ parent, name }) => fileSystem.rmdir(parent, name))),
        answer,
      ),
    rename: (path, newPath, answer) =>
      run.done("rename", () => walk((walk) => rename(served, walk, path, newPath)), answer),
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

/** A listing is asked for as a whole. Names that cannot be passed on, and those libfuse made for itself, are left out. */
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

function linkText({ fileSystem }: Served, ino: Ino): string {
  const text = exactTextOf(fileSystem.readlink(ino));
  if (text === undefined) throw new FileSystemError("EIO", "the target is not UTF-8");
  return text;
}

function link({ fileSystem }: Served, walk: Walk, path: string, newPath: string): void {
  const { ino } = walk.at(path);
  const { parent, name } = walk.place(newPath);
  walk.made(fileSystem.link(ino, parent, name));
}

/** What loses its name is held until it has, and let go with the walk. */
function remove(walk: Walk, path: string, remover: (place: Place) => void): void {
  const place = walk.place(path);
  walk.hold(place);
  remover(place);
}

function rename({ fileSystem }: Served, walk: Walk, path: string, newPath: string): void {
  const [from, to] = [walk.place(path), walk.place(newPath)];
  walk.hold(to);
  fileSystem.rename(from.parent, from.name, to.parent, to.name, 0);
}
