/** INIT: what kernel and mount agree on before the first operation. */
import { DatasetError } from "../../../errors.js";
import {
  InitFlag,
  InitFlag2,
  InitIn,
  InitOut,
  MAX_TRANSFER_BYTES,
  OUT_HEADER_BYTES,
  OLDEST_MINOR,
  PAGE_BYTES,
} from "./protocol.js";
import { PROTOCOL_MAJOR, PROTOCOL_MINOR } from "./protocol.js";
import type { KernelRequest } from "./request.js";
import type { Operation } from "./session.js";

/** Read-ahead the kernel may use; what it does use is a setting of the mount's device, which starts at 128 KiB. */
const MAX_READAHEAD_BYTES = MAX_TRANSFER_BYTES;
/** Read-ahead and writeback requests under way at once: a window of 8 MiB for each of eight readers. */
const MAX_BACKGROUND = 64;
const CONGESTION_THRESHOLD = 48;
/** Times are exact to the nanosecond. */
const TIME_GRANULARITY_NSEC = 1;

/**
 * Wanted of every kernel that has it. Left out, and why: POSIX and BSD locks (the kernel keeps them, as for a local
 * file system), `ATOMIC_O_TRUNC` (a SETATTR of the size does it), `EXPORT_SUPPORT` (no NFS), `READDIRPLUS_AUTO` (a
 * listing is nearly always followed by `stat`).
 */
const WANTED =
  InitFlag.asyncRead |
  InitFlag.bigWrites |
  InitFlag.doReaddirplus |
  InitFlag.parallelDirops |
  InitFlag.abortError |
  InitFlag.maxPages |
  InitFlag.cacheSymlinks |
  InitFlag.noOpendirSupport |
  InitFlag.initExt;

/** Without `HANDLE_KILLPRIV_V2` every `write(2)` would first ask for `security.capability`. */
const WANTED_TO_WRITE = InitFlag.writebackCache | InitFlag.handleKillprivV2;

/** The mount counts as one file system upon another, so that one more (overlayfs) may still be laid on it. */
const STACK_DEPTH = 1;

export const init: Operation = (session, request, reply) => {
  const { fileSystem } = session;
  const minor = request.u32(InitIn.minor);
  if (request.u32(InitIn.major) !== PROTOCOL_MAJOR || minor < OLDEST_MINOR) throw tooOld(minor);
  const wanted = WANTED | (fileSystem.writable ? WANTED_TO_WRITE : InitFlag.noOpenSupport);
  reply.bytes.fill(0, OUT_HEADER_BYTES, InitOut.end);
  reply.u32(InitOut.major, PROTOCOL_MAJOR);
  reply.u32(InitOut.minor, Math.min(minor, PROTOCOL_MINOR));
  reply.u32(InitOut.maxReadahead, MAX_READAHEAD_BYTES);
  reply.u32(InitOut.flags, request.u32(InitIn.flags) & wanted);
  reply.u16(InitOut.maxBackground, MAX_BACKGROUND);
  reply.u16(InitOut.congestionThreshold, CONGESTION_THRESHOLD);
  reply.u32(InitOut.maxWrite, MAX_TRANSFER_BYTES);
  reply.u32(InitOut.timeGranularity, TIME_GRANULARITY_NSEC);
  reply.u16(InitOut.maxPages, MAX_TRANSFER_BYTES / PAGE_BYTES);
  if (offersPassthrough(request) && session.passThrough()) {
    reply.u32(InitOut.flags2, InitFlag2.passthrough);
    reply.u32(InitOut.maxStackDepth, STACK_DEPTH);
  }
  reply.payload(InitOut.end - OUT_HEADER_BYTES);
};

function offersPassthrough(request: KernelRequest): boolean {
  const isExtended = (request.u32(InitIn.flags) & InitFlag.initExt) !== 0;
  return isExtended && (request.u32(InitIn.flags2) & InitFlag2.passthrough) !== 0;
}

/** Every access then fails; the log says why. */
function tooOld(minor: number): DatasetError<"unsupported"> {
  const message = `Cannot serve this kernel: it speaks FUSE protocol 7.${minor}, and 7.${OLDEST_MINOR} is needed (Linux 4.20)`;
  return new DatasetError("unsupported", { what: "FUSE" }, message);
}
