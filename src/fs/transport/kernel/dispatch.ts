/**
 * From the number of an operation to what answers it. All others get `ENOSYS`, on which the kernel does without:
 * ACCESS needs no answer, COPY_FILE_RANGE is made of reads and writes, IOCTL and BMAP are refused.
 */
import { FileSystemError } from "../../errno.js";
import { getattr, setattr, statfs } from "./attributes.js";
import { create, fallocate, flush, fsync, lseek, open, read, release, tmpfile, write } from "./content.js";
import { opendir, readdir, readdirplus, releasedir } from "./listing.js";
import { batchForget, forget, link, lookup, mkdir, mknod } from "./names.js";
import { readlink, rename, rename2, rmdir, symlink, unlink } from "./names.js";
import { init } from "./negotiate.js";
import { Opcode } from "./protocol.js";
import type { Operation } from "./session.js";
import { getxattr, listxattr, removexattr, setxattr } from "./xattrs.js";

const destroy: Operation = () => undefined;

/** INTERRUPT is not among them: it is about requests, not about the tree. */
const ANSWERED: Record<Exclude<keyof typeof Opcode, "interrupt">, Operation> = {
  ...{ init, destroy, statfs, lookup, forget, batchForget, getattr, setattr, opendir, readdir, readdirplus },
  ...{ releasedir, readlink, mkdir, mknod, symlink, link, unlink, rmdir, rename, rename2 },
  ...{ open, create, tmpfile, read, write, flush, release, fsync, fsyncdir: fsync, fallocate, lseek },
  ...{ setxattr, getxattr, listxattr, removexattr },
};

const OPERATIONS: (Operation | undefined)[] = [];
for (const [name, operation] of Object.entries(ANSWERED))
  OPERATIONS[Opcode[name as keyof typeof ANSWERED]] = operation;

/** The operation of an opcode. @throws {FileSystemError} `ENOSYS` */
export function operationOf(opcode: number): Operation {
  const operation = OPERATIONS[opcode];
  if (!operation) throw new FileSystemError("ENOSYS");
  return operation;
}
