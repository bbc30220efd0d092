/**
 * Extended attributes. A tree keeps those of users; all others are refused here, once for every file system: told
 * `EOPNOTSUPP`, `ls -l` stops asking each file for its access control list.
 */
import { FileSystemError } from "../../errno.js";
import { GetxattrIn, NAME_AT, SetxattrIn } from "./protocol.js";
import type { Reply } from "./reply.js";
import type { Operation } from "./session.js";

const KEPT_PREFIX = "user.";

export const getxattr: Operation = ({ fileSystem }, request, reply) => {
  const name = keptName(request.name(GetxattrIn.name));
  answer(reply, fileSystem.getxattr(request.ino, name), request.u32(GetxattrIn.size));
};

export const listxattr: Operation = ({ fileSystem }, request, reply) => {
  const names = fileSystem.listxattr(request.ino).map((name) => `${name}\0`);
  answer(reply, Buffer.from(names.join(""), "latin1"), request.u32(GetxattrIn.size));
};

export const setxattr: Operation = ({ fileSystem }, request) => {
  const name = request.name(SetxattrIn.name);
  const valueAt = SetxattrIn.name + name.length + 1;
  const value = request.bytes.subarray(valueAt, valueAt + request.u32(SetxattrIn.size));
  fileSystem.setxattr(request.ino, keptName(name), Uint8Array.from(value), request.u32(SetxattrIn.flags));
};

export const removexattr: Operation = ({ fileSystem }, request) => {
  fileSystem.removexattr(request.ino, keptName(request.name(NAME_AT)));
};

/** The bytes, or their number when the caller asks with an empty buffer. */
function answer(reply: Reply, bytes: Uint8Array, limitBytes: number): void {
  if (limitBytes > 0 && bytes.length > limitBytes) throw new FileSystemError("ERANGE");
  if (limitBytes > 0) reply.data(bytes);
  else reply.number(bytes.length);
}

function keptName(name: string): string {
  if (name.startsWith(KEPT_PREFIX)) return name;
  throw new FileSystemError("EOPNOTSUPP");
}
