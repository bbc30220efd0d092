/** Callbacks on extended attributes. A tree keeps those of users; all others are refused, as through the kernel. */
import { bytesOfText } from "../../../paths.js";
import { FileSystemError } from "../../errno.js";
import type { Ino } from "../../filesystem.js";
import type { FuseOperations } from "./library.js";
import type { Served } from "./operations.js";
import { exactTextOf } from "./translate.js";
import { walking } from "./walk.js";

type XattrOperations = Pick<FuseOperations, "getxattr" | "listxattr" | "setxattr" | "removexattr">;

const KEPT_PREFIX = "user.";

export function xattrOperations({ fileSystem, run }: Served): XattrOperations {
  const on = <T>(path: string, use: (ino: Ino) => T) => walking(fileSystem, (walk) => use(walk.at(path).ino));
  return {
    getxattr: (path, name, _position, answer) =>
      run.value(
        "getxattr",
        () => on(path, (ino) => Buffer.from(fileSystem.getxattr(ino, keptName(name)))),
        answer,
      ),
    listxattr: (path, answer) =>
      run.value(
        "listxattr",
        () => on(path, (ino) => fileSystem.listxattr(ino).flatMap((name) => exactTextOf(name) ?? [])),
        answer,
      ),
    setxattr: (path, name, value, _position, flags, answer) =>
      // The bytes are libfuse's, and gone after the answer.
      run.done(
        "setxattr",
        () => on(path, (ino) => fileSystem.setxattr(ino, keptName(name), Uint8Array.from(value), flags)),
        answer,
      ),
    removexattr: (path, name, answer) =>
      run.done("removexattr", () => on(path, (ino) => fileSystem.removexattr(ino, keptName(name))), answer),
  };
}

function keptName(name: string): string {
  if (name.startsWith(KEPT_PREFIX)) return bytesOfText(name);
  throw new FileSystemError("EOPNOTSUPP");
}
