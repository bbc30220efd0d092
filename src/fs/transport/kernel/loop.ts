/**
 * The worker's loop: sleeps until the kernel or the main thread has something, answers what it can at once, and puts
 * aside what waits for blocks or for the disk. Which answer is `dispatch.ts`'s, where blocks come from the supplier's.
 */
import { type Block, Missing } from "../../../cache/block.js";
import type { Sha256 } from "../../../content/chunk.js";
import { Errno, FileSystemError, errnoNumberOf } from "../../errno.js";
import type { FileSystem } from "../../filesystem.js";
import { operationOf } from "./dispatch.js";
import { type Parked, ParkedRequests } from "./parked.js";
import { InterruptIn, Opcode } from "./protocol.js";
import { Reply } from "./reply.js";
import { KernelRequest } from "./request.js";
import { Session } from "./session.js";
import { Poller, clearEvent, errno, errnos, read, write } from "./syscalls.js";

/** Whoever fetches blocks. Its answers come through `RequestLoop.arrived` and `failed`. */
export interface Supplier {
  /** Fetch these, somebody waits for them, and `ahead` when there is time. */
  fetch(blocks: readonly Block[], ahead: readonly Block[]): void;
  /** Called after each signal of the event: takes in what has come since. */
  receive(): void;
}

export interface LoopOptions {
  /** The device of the connection with the kernel, non-blocking. */
  device: number;
  /** Signalled when the supplier has something; see `openEvent`. */
  event: number;
  fileSystem: FileSystem;
  supplier: Supplier;
  /** After this a request that still waits for blocks fails with EIO, in milliseconds. */
  deadlineMs: number;
  /** Told of failures that are not the caller's own doing. */
  onFailure: (event: string, facts: Record<string, unknown>) => void;
  /** Called once whenever nothing has happened for a moment. */
  onIdle?: (() => void) | undefined;
}

/** How a connection ended. */
export interface EndOfLoop {
  /** Cut off rather than unmounted: by an abort of the connection. */
  aborted: boolean;
  /** How many handles may have held bytes that never arrived. */
  unflushedHandles: number;
}

/** Idle for so long, the loop does what can wait; longer than the pauses within one program's work. */
const IDLE_AFTER_MS = 500;
/** While something outside the loop is under way (an fsync), the event loop gets a turn this often. */
const TURN_MS = 1;

export class RequestLoop {
  readonly #request = new KernelRequest();
  readonly #reply = new Reply();
  readonly #parked = new ParkedRequests();
  readonly #session: Session;
  /** Promises under way; they settle only while the event loop turns. */
  #unsettled = 0;
  #hasRested = false;
  /** While it is set nothing is answered: requests wait in the kernel, those that could be run again wait here. */
  #paused = false;
  readonly #runnable: Parked[] = [];
  #end: EndOfLoop | undefined;

  constructor(private readonly options: LoopOptions) {
    this.#session = new Session(options.fileSystem);
  }

  /** Serves until the mount is gone. */
  async run(): Promise<EndOfLoop> {
    const { device, event } = this.options;
    const both = new Poller(event, device);
    const eventOnly = new Poller(event);
    for (;;) {
      if (this.#unsettled > 0) await new Promise(setImmediate);
      const poller = this.#paused ? eventOnly : both;
      if (poller.wait(this.#sleepMs())) this.#work(poller);
      else this.#rest();
      if (this.#parked.size > 0) this.#expire();
      if (this.#end) return this.#end;
    }
  }

  /** These blocks are here now: runs what waited for them. */
  arrived(hashes: readonly Sha256[]): void {
    this.#runnable.push(...hashes.flatMap((hash) => this.#parked.arrived(hash)));
    this.#runAgain();
  }

  /** These blocks will not come: fails what waited for them, and nothing else. */
  failed(hashes: readonly Sha256[], errnoNumber: number): void {
    for (const { unique } of hashes.flatMap((hash) => this.#parked.failed(hash))) this.#fail(unique, errnoNumber);
  }

  /** Answers nothing until `resume`: the file system stays as it is. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#runAgain();
  }

  /** Leaves the kernel without answers from now on. */
  stop(): void {
    this.#end ??= { aborted: true, unflushedHandles: this.#session.unflushed.size };
  }

  /** Lets the event loop turn until a promise has settled. */
  outlast(promise: Promise<unknown>): void {
    this.#unsettled++;
    void promise.then(
      () => this.#unsettled--,
      () => this.#unsettled--,
    );
  }

  #runAgain(): void {
    while (!this.#paused && this.#runnable.length > 0) this.#answer(this.#runnable.shift());
  }

  #work(poller: Poller): void {
    this.#hasRested = false;
    if (poller.isReady(0)) this.#receive();
    if (!this.#paused && poller.isReady(1)) this.#serveOne();
  }

  #sleepMs(): number {
    if (this.#unsettled > 0) return TURN_MS;
    const untilDeadline = this.#parked.nextDeadlineMs() - performance.now();
    const untilRest = this.#hasRested ? Infinity : IDLE_AFTER_MS;
    const sleep = Math.min(untilDeadline, untilRest);
    return sleep === Infinity ? -1 : Math.max(0, Math.ceil(sleep));
  }

  #rest(): void {
    if (this.#hasRested || this.#unsettled > 0) return;
    this.#hasRested = true;
    this.options.onIdle?.();
  }

  #receive(): void {
    clearEvent(this.options.event);
    this.options.supplier.receive();
  }

  #serveOne(): void {
    if (read(this.options.device, this.#request.bytes) < 0) return this.#readFailed(errno());
    if (this.#request.opcode === Opcode.interrupt) return this.#interrupt(this.#request.u64(InterruptIn.unique));
    this.#answer();
  }

  /** `EAGAIN`, `EINTR` and `ENOENT` tell of a request that was taken back before it could be read. */
  #readFailed(reason: number): void {
    const isOver = reason === errnos.ENODEV || reason === errnos.ECONNABORTED;
    if (!isOver && reason !== errnos.EAGAIN && reason !== errnos.EINTR && reason !== errnos.ENOENT)
      this.options.onFailure("kernel device failed", { errno: reason });
    else if (!isOver) return;
    this.#end = { aborted: reason !== errnos.ENODEV, unflushedHandles: this.#session.unflushed.size };
  }

  /**
   * The kernel interrupts only a request that was read; with one reader that is one answered already, or one parked.
   */
  #interrupt(unique: number): void {
    if (this.#parked.take(unique)) this.#fail(unique, Errno.EINTR);
  }

  /** Answers the request in the buffer, or one that was put aside. */
  #answer(again?: Parked): void {
    const request = this.#request;
    const reply = this.#reply;
    if (again) request.load(again.bytes);
    reply.begin(request.unique);
    try {
      const waiting = operationOf(request.opcode)(this.#session, request, reply);
      if (waiting) return this.#sendAfter(waiting);
    } catch (thrown) {
      if (thrown instanceof Missing) return this.#park(thrown, again);
      this.#explain(thrown, request.opcode);
      reply.fail(errnoNumberOf(thrown));
    }
    this.#send();
  }

  #park({ blocks, ahead }: Missing, again: Parked | undefined): void {
    const deadlineMs = again?.deadlineMs ?? performance.now() + this.options.deadlineMs;
    const parked = again ?? { unique: this.#request.unique, bytes: this.#request.copy(), deadlineMs };
    const wanted = this.#parked.park(parked, blocks);
    if (wanted.length > 0 || ahead.length > 0) this.options.supplier.fetch(wanted, ahead);
  }

  #expire(): void {
    for (const { unique } of this.#parked.expired(performance.now())) {
      this.options.onFailure("request gave up waiting for blocks", { waitedForMs: this.options.deadlineMs });
      this.#fail(unique, Errno.EIO);
    }
  }

  /** The reply buffer serves others meanwhile; what is replied late has no payload. */
  #sendAfter(waiting: Promise<void>): void {
    const { unique, opcode } = this.#request;
    this.outlast(waiting);
    waiting.then(
      () => this.#fail(unique, 0),
      (reason: unknown) => {
        this.#explain(reason, opcode);
        this.#fail(unique, errnoNumberOf(reason));
      },
    );
  }

  #fail(unique: number, errnoNumber: number): void {
    this.#reply.begin(unique);
    this.#reply.fail(errnoNumber);
    this.#send();
  }

  /** The kernel takes no reply to a request that was aborted, and tells so by `ENOENT`. */
  #send(): void {
    const { bytes } = this.#reply;
    if (this.#reply.length === 0) return;
    if (write(this.options.device, bytes, this.#reply.finish()) >= 0) return;
    const reason = errno();
    if (reason === errnos.ENOENT || reason === errnos.ENODEV) return;
    this.options.onFailure("kernel refused a reply", { errno: reason, opcode: this.#request.opcode });
    // Whoever waits for this reply must not wait forever.
    this.#reply.fail(Errno.EIO);
    write(this.options.device, bytes, this.#reply.finish());
  }

  /** An errno is an answer; anything else is a failure somebody may want to look into. */
  #explain(thrown: unknown, opcode: number): void {
    if (thrown instanceof FileSystemError) return;
    this.options.onFailure("operation failed", { opcode, error: thrown });
  }
}
