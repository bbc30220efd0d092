/**
 * The system calls Node has no function for, through koffi: waiting for two descriptors at once, mounting, and
 * receiving a descriptor from another process. A failed call gives -1, and `errno()` says why until the next call.
 * Source: man pages, section 2; the numbers are those of Linux on x86-64 and arm64
 */
import { closeSync, readdirSync, writeSync } from "node:fs";
import { getSystemErrorName } from "node:util";

import koffi from "koffi";

type Value = number | string | Uint8Array;
/** A C function: called on this thread, or on one of koffi's own. */
interface Call {
  (...values: Value[]): number;
  async(...values: [...Value[], (failure: Error | null, result: number) => void]): void;
}

/** The C library that Node itself is linked to. */
const libc = koffi.load(null);
const declare = (definition: string) => libc.func(definition) as unknown as Call;

const calls = {
  read: declare("long read(int fd, void *buffer, size_t count)"),
  write: declare("long write(int fd, const void *buffer, size_t count)"),
  poll: declare("int poll(void *fds, unsigned long count, int timeoutMs)"),
  eventfd: declare("int eventfd(unsigned int value, int flags)"),
  fcntl: declare("int fcntl(int fd, int command, ...)"),
  socketpair: declare("int socketpair(int domain, int type, int protocol, void *pair)"),
  socket: declare("int socket(int domain, int type, int protocol)"),
  sendto: declare(
    "long sendto(int fd, void *text, size_t count, int flags, void *address, unsigned int size)",
  ),
  recvmsg: declare("long recvmsg(int fd, void *message, int flags)"),
  mount: declare(
    "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
  ),
  umount: declare("int umount2(const char *target, int flags)"),
  syncfs: declare("int syncfs(int fd)"),
  ioctl: declare("int ioctl(int fd, unsigned long request, ...)"),
};

/** Names of errors, as `ENODEV`, and the numbers they have here. */
export const errnos = koffi.os.errno as Readonly<
  Record<"EAGAIN" | "EINTR" | "ENOENT" | "ENODEV" | "ECONNABORTED", number>
>;

/** Why the last call of this thread failed. */
export function errno(): number {
  return koffi.errno();
}

/** `read(2)` into a buffer; unlike `fs.readSync` it throws nothing, so that "nothing to read" costs little. */
export function read(fd: number, buffer: Uint8Array): number {
  return calls.read(fd, buffer, buffer.length);
}

/** `write(2)` of a buffer's first bytes; takes half the time of `fs.writeSync`. */
export function write(fd: number, buffer: Uint8Array, count: number): number {
  return calls.write(fd, buffer, count);
}

const POLLIN = 1;
const POLLFD = { fd: 0, events: 4, revents: 6, bytes: 8 };

/** Waits for any of several descriptors to have something to read. */
export class Poller {
  readonly #count: number;
  readonly #fds: Buffer;

  constructor(...fds: readonly number[]) {
    this.#count = fds.length;
    this.#fds = Buffer.alloc(fds.length * POLLFD.bytes);
    fds.forEach((fd, index) => {
      this.#fds.writeInt32LE(fd, index * POLLFD.bytes + POLLFD.fd);
      this.#fds.writeInt16LE(POLLIN, index * POLLFD.bytes + POLLFD.events);
    });
  }

  /** Sleeps until one is ready, `timeoutMs` are over (-1: never) or a signal came; whether one is. */
  wait(timeoutMs: number): boolean {
    return calls.poll(this.#fds, this.#count, timeoutMs) > 0;
  }

  /** After `wait` gave true: whether the one at `index` is ready. A broken one is: reading it tells how. */
  isReady(index: number): boolean {
    return index < this.#count && this.#fds.readInt16LE(index * POLLFD.bytes + POLLFD.revents) !== 0;
  }
}

const CLOSE_ON_EXEC = 0o2000000;
const NON_BLOCKING = 0o4000;

/** A descriptor that wakes whoever polls it, across threads. The caller closes it. */
export function openEvent(): number {
  return expectDone("eventfd", calls.eventfd(0, CLOSE_ON_EXEC | NON_BLOCKING));
}

const ONE = Buffer.from(BigUint64Array.of(1n).buffer);

export function signalEvent(event: number): void {
  writeSync(event, ONE);
}

/** Makes the event wait for its next signal. */
export function clearEvent(event: number): void {
  read(event, Buffer.alloc(8));
}

const F_SETFL = 4;

export function setNonBlocking(fd: number): void {
  expectDone("fcntl", calls.fcntl(fd, F_SETFL, "int", NON_BLOCKING));
}

/** `ioctl(2)` with a pointer to a struct. */
export function ioctl(fd: number, request: number, struct: Uint8Array): number {
  return calls.ioctl(fd, request, "void *", struct);
}

const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Keeps what this process was started with from its own children. Node does so for low numbers without a gap only.
 */
export function keepDescriptorsFromChildren(): void {
  const own = readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => fd > 2);
  for (const fd of own) calls.fcntl(fd, F_SETFD, "int", FD_CLOEXEC); // One that is closed by now fails, and may.
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** Two connected sockets, closed in children unless passed to them. */
export function socketPair(): [number, number] {
  const pair = Buffer.alloc(8);
  expectDone("socketpair", calls.socketpair(AF_UNIX, SOCK_STREAM | CLOSE_ON_EXEC, 0, pair));
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

const SOCK_DGRAM = 2;
const MSG_NOSIGNAL = 0x4000;

/** Sends text to a datagram socket at a path, `@` for a name without one. Whether it arrived. */
export function sendDatagram(path: string, text: string): boolean {
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM | CLOSE_ON_EXEC, 0);
  if (fd < 0) return false;
  try {
    const [bytes, name] = [Buffer.from(text), Buffer.from(path.replace(/^@/, "\0"))];
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
    return calls.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length) >= 0;
  } finally {
    closeSync(fd);
  }
}

const MSG_CMSG_CLOEXEC = 0x40000000;
const SCM_RIGHTS = 1;
/** `struct msghdr` and `struct cmsghdr` where pointers have 64 bits. */
const MSGHDR = { iov: 16, iovCount: 24, control: 32, controlBytes: 40, bytes: 56 };
const CMSGHDR = { type: 12, fd: 16 };

/** Waits for the other side of a socket to send a descriptor; undefined when it closed without. */
export async function receiveDescriptor(socket: number): Promise<number | undefined> {
  const [data, control, iov, message] = [8, 32, 16, MSGHDR.bytes].map((size) =>
    Buffer.alloc(size),
  ) as Buffers;
  iov.writeBigUInt64LE(koffi.address(data), 0);
  iov.writeBigUInt64LE(BigInt(data.length), 8);
  message.writeBigUInt64LE(koffi.address(iov), MSGHDR.iov);
  message.writeBigUInt64LE(1n, MSGHDR.iovCount);
  message.writeBigUInt64LE(koffi.address(control), MSGHDR.control);
  message.writeBigUInt64LE(BigInt(control.length), MSGHDR.controlBytes);
  const got = await elsewhere(calls.recvmsg, socket, message, MSG_CMSG_CLOEXEC);
  return got.result > 0 && control.readInt32LE(CMSGHDR.type) === SCM_RIGHTS
    ? control.readInt32LE(CMSGHDR.fd)
    : undefined;
}
type Buffers = [Buffer, Buffer, Buffer, Buffer];

export const MountFlag = { readOnly: 1, noSuid: 2, noDev: 4, noExec: 8 } as const;
export const UnmountFlag = { force: 1, detach: 2, noFollow: 8 } as const;

/** `mount(2)`, waited for on another thread; gives the name of its error, or undefined when it worked. */
export function mount(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): Promise<string | undefined> {
  return errorNameOf(elsewhere(calls.mount, source, target, type, flags, data));
}

/** `umount2(2)`, waited for on another thread: an orderly one writes back what is dirty, which this process serves. */
export function unmount(target: string, flags: number): Promise<string | undefined> {
  return errorNameOf(elsewhere(calls.umount, target, flags));
}

/** `syncfs(2)` on the file system `fd` lies in, waited for on another thread. */
export function syncFileSystem(fd: number): Promise<string | undefined> {
  return errorNameOf(elsewhere(calls.syncfs, fd));
}

function expectDone(name: string, result: number): number {
  if (result >= 0) return result;
  throw new Error(`Cannot call ${name}: ${getSystemErrorName(-errno())}`);
}

/** Koffi keeps the errno of the other thread for its callback. */
function elsewhere(call: Call, ...values: Value[]): Promise<{ result: number; errno: number }> {
  return new Promise((resolve, reject) => {
    call.async(...values, (failure, result) => {
      if (failure) reject(failure);
      else resolve({ result, errno: errno() });
    });
  });
}

async function errorNameOf(call: Promise<{ result: number; errno: number }>): Promise<string | undefined> {
  const { result, errno: number } = await call;
  return result < 0 ? getSystemErrorName(-number) : undefined;
}
