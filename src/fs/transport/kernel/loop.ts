/**
 * The worker's loop: sleeps until the kernel or the main thread has something, answers what it can at once, and puts
 * aside what waits for blocks or for the disk. Which answer is `dispatch.ts`'s, where blocks come from the supplier's.
 */
import { Missing } from "../../../cache/block.js";
import { FileSystemError, errnoNumberOf } from "../../errno.js";
import type { FileSystem, Ino } from "../../filesystem.js";
import type { WaitingRequest } from "../../messages.js";
import type { OperationCounts } from "../../operation-counts.js";
import { Channel, type OnFailure, type Received } from "./channel.js";
import { operationOf } from "./dispatch.js";
import { noteFull } from "./full-disk.js";
import { bringsAttributes, mustWait } from "./held.js";
import type { Parked } from "./parked.js";
import { InterruptIn, Opcode, OUT_HEADER_BYTES, WriteIn } from "./protocol.js";
import { Session } from "./session.js";
import { Poller, clearEvent } from "./syscalls.js";
import { Vigil } from "./vigil.js";
import { type Source, WaitingRequests } from "./waiting.js";

/** Whoever fetches blocks and answers questions. Its answers come through `RequestLoop.arrived` and `failed`. */
export interface Supplier extends Source {
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
  onFailure: OnFailure;
  /** Told of each request that has waited for so long. */
  onLate: (request: WaitingRequest) => void;
  counts: OperationCounts;
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
/** Requests answered before the main thread is heard again: a millisecond or two. */
const REQUESTS_A_TURN = 64;
/** While something outside the loop is under way (an fsync), the event loop gets a turn this often. */
const TURN_MS = 1;

export class RequestLoop {
  readonly #channel: Channel;
  readonly #waiting: WaitingRequests;
  readonly #session: Session;
  readonly #vigil = new Vigil();
  /** Promises under way; they settle only while the event loop turns. */
  #unsettled = 0;
  #hasRested = false;
  /** While it is set nothing is answered: requests wait in the kernel, those that could be run again wait here. */
  #paused = false;
  /** While it is set some requests wait here, see `held.ts`. */
  #holding = false;
  readonly #runnable: Parked[] = [];
  #end: EndOfLoop | undefined;

  constructor(private readonly options: LoopOptions) {
    this.#channel = new Channel(options.device, options.onFailure);
    this.#waiting = new WaitingRequests(this.#channel, options);
    this.#session = new Session(options.fileSystem, options.device);
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
      this.#waiting.endSome();
      if (this.#end) return this.#end;
    }
  }

  /** Handles that may be written to. */
  get writers(): number {
    return this.#session.writers.size;
  }

  /** The oldest requests that wait for something. */
  get waiting(): WaitingRequest[] {
    return this.#waiting.told();
  }

  /** These blocks and answers are here now: runs what waited for them. */
  arrived(keys: readonly string[]): void {
    this.#runnable.push(...this.#waiting.arrived(keys));
    this.#runAgain();
  }

  /** These will not come: fails what waited for them, and nothing else. */
  failed(keys: readonly string[], errnoNumber: number): void {
    this.#waiting.failed(keys, errnoNumber);
  }

  /** Answers nothing until `resume`: the file system stays as it is. */
  pause(): void {
    this.#paused = true;
  }

  /** Lets all wait that would change the tree or the kernel's cache of it, and serves what is written back from that. */
  hold(): void {
    this.#holding = true;
    this.#stopWriters();
  }

  /** After `pause` or `hold`. */
  resume(): void {
    this.#paused = false;
    this.#holding = false;
    this.#runAgain();
  }

  /** Leaves the kernel without answers from now on. */
  stop(): void {
    this.#finish(true);
  }

  #stopWriters(): void {
    for (const ino of this.#writers()) this.#channel.forgetAttributes(ino);
  }

  #writers(): ReadonlySet<Ino> {
    return new Set(this.#session.writers.values());
  }

  #runAgain(): void {
    while (!this.#paused && !this.#holding && this.#runnable.length > 0) this.#answer(this.#runnable.shift());
  }

  #work(poller: Poller): void {
    this.#hasRested = false;
    if (poller.isReady(0)) this.#receive();
    if (poller.isReady(1)) this.#serve();
  }

  /** Answers one request after another; some, since the main thread may have something as well. */
  #serve(): void {
    for (let left = REQUESTS_A_TURN; left > 0 && !this.#paused && !this.#end; left--) {
      const received = this.#vigil.next(this.#channel);
      if (received === "nothing") return;
      this.#take(received);
    }
  }

  #sleepMs(): number {
    if (this.#unsettled > 0) return TURN_MS;
    const untilRest = this.#hasRested ? Infinity : IDLE_AFTER_MS;
    const sleep = Math.min(this.#waiting.sleepMs(), untilRest);
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

  #take(received: Received): void {
    const { request } = this.#channel;
    if (received !== "request") this.#finish(received === "aborted");
    else if (request.opcode === Opcode.interrupt) this.#waiting.interrupt(request.u64(InterruptIn.unique));
    else if (this.#holding && mustWait(request, this.#writers())) this.#putAside();
    else this.#answer();
    if (this.#holding && bringsAttributes(request)) this.#stopWriters();
  }

  #putAside(): void {
    this.options.counts.begin(this.#channel.request.opcode);
    this.#runnable.push(this.#waiting.putAside());
  }

  #finish(aborted: boolean): void {
    this.#end ??= { aborted, unflushedHandles: this.#session.unflushed.size };
  }

  /** Answers the request in the buffer, or one that was put aside. */
  #answer(again?: Parked): void {
    const { request, reply } = this.#channel;
    if (again) request.load(again.bytes);
    reply.begin(request.unique);
    const { opcode } = request;
    const startMs = again ? again.sinceMs : this.options.counts.begin(opcode);
    try {
      const waiting = operationOf(opcode)(this.#session, request, reply);
      if (waiting instanceof Promise) {
        this.#sendAfter(waiting);
        return;
      }
      this.#channel.send();
    } catch (thrown) {
      if (thrown instanceof Missing) {
        this.#waiting.park(thrown, again);
        return;
      }
      this.#refuse(thrown);
    }
    this.#count(opcode, startMs, again !== undefined);
  }

  /** The request in the buffer was answered. */
  #count(opcode: number, startMs: number, hasWaited: boolean): void {
    const { counts } = this.options;
    const { request, reply } = this.#channel;
    if (opcode === Opcode.read) counts.read(reply.length - OUT_HEADER_BYTES);
    else if (opcode === Opcode.write) counts.wrote(request.u32(WriteIn.size));
    if (hasWaited) counts.endWaiting(opcode, startMs);
    else counts.end(opcode, startMs);
  }

  #refuse(thrown: unknown): void {
    const { opcode } = this.#channel.request;
    this.options.counts.failed(opcode);
    this.#explain(thrown, opcode);
    this.#channel.reply.fail(errnoNumberOf(thrown));
    this.#channel.send();
    const { request } = this.#channel;
    if (noteFull(this.#session, request, thrown)) this.#channel.forgetAttributes(request.ino);
  }

  /** The reply buffer serves others meanwhile; what is replied late is a number, or nothing. */
  #sendAfter(waiting: Promise<unknown>): void {
    const { unique, opcode } = this.#channel.request;
    const startMs = performance.now();
    this.#outlast(waiting);
    waiting.then(
      (value) => {
        this.options.counts.endWaiting(opcode, startMs);
        if (typeof value !== "number") this.#channel.finish(unique, 0);
        else this.#channel.finishWith(unique, value);
      },
      (reason: unknown) => {
        this.options.counts.failed(opcode);
        this.options.counts.endWaiting(opcode, startMs);
        this.#explain(reason, opcode);
        this.#channel.finish(unique, errnoNumberOf(reason));
      },
    );
  }

  /** Lets the event loop turn until a promise has settled. */
  #outlast(promise: Promise<unknown>): void {
    this.#unsettled++;
    void promise.then(
      () => this.#unsettled--,
      () => this.#unsettled--,
    );
  }

  /** An errno is an answer; anything else is a failure somebody may want to look into. */
  #explain(thrown: unknown, opcode: number): void {
    if (thrown instanceof FileSystemError) return;
    this.options.onFailure("operation failed", { opcode, error: thrown });
  }
}
