/** Listings of directories. */
import { FileSystemError } from "../../errno.js";
import { Missing } from "../../../cache/block.js";
import { ReadIn, OUT_HEADER_BYTES } from "./protocol.js";
import type { KernelRequest } from "./request.js";
import type { Reply } from "./reply.js";
import type { Operation, Session } from "./session.js";

/** Where all listings may be remembered, opening needs no request: told so once, the kernel sends no more. */
export const opendir: Operation = ({ fileSystem }, request, reply) => {
  if (!fileSystem.keepsListing) throw new FileSystemError("ENOSYS");
  reply.openedDirectory(fileSystem.keepsListing(request.ino));
};

export const releasedir: Operation = () => undefined;

/** Asked for only by kernels that were not offered READDIRPLUS; kept for what the protocol says. */
export const readdir: Operation = (session, request, reply) => list(session, request, reply, false);

export const readdirplus: Operation = (session, request, reply) => list(session, request, reply, true);

/**
 * What fits into the kernel's buffer. Where the next entries are missing, those before them are the answer: the kernel
 * asks on from there, and no entry is given (and counted as looked up) twice.
 */
function list({ fileSystem }: Session, request: KernelRequest, reply: Reply, plus: boolean): void {
  const limitBytes = Math.min(request.u32(ReadIn.size), reply.bytes.length - OUT_HEADER_BYTES);
  try {
    fileSystem.readdir(request.ino, request.u64(ReadIn.offset), (name, attributes, cookie) =>
      reply.listed(name, attributes, cookie, limitBytes, plus),
    );
  } catch (thrown) {
    if (!(thrown instanceof Missing) || reply.length === OUT_HEADER_BYTES) throw thrown;
  }
}
