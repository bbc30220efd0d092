/**
 * What becomes of requests that wait for blocks and answers: these are asked for, and a request whose thread is to end or
 * whose deadline has passed is failed. Running the others again is the loop's.
 */
import { type Block, type Missing } from "../../../cache/block.js";
import { Errno } from "../../errno.js";
import type { WaitingRequest } from "../../messages.js";
import type { OperationCounts } from "../../operation-counts.js";
import { type Question, Unanswered } from "../../questions.js";
import type { Channel } from "./channel.js";
import { type Parked, ParkedRequests } from "./parked.js";
import { isToEnd } from "./pending-signals.js";
import { InHeader, nameOfOpcode } from "./protocol.js";

/** Where blocks and answers come from. */
export interface Source {
  /** Fetch these, somebody waits for them, and `ahead` when there is time. */
  fetch(blocks: readonly Block[], ahead: readonly Block[]): void;
  /** Somebody waits for the answer. */
  ask(question: Question): void;
}

export interface WaitingOptions {
  supplier: Source;
  /** After this a request that still waits fails with EIO, in milliseconds. */
  deadlineMs: number;
  counts: OperationCounts;
  /** Told of each that has. */
  onLate: (request: WaitingRequest) => void;
}

/** Of requests that wait, so many are told of. */
const MOST_TOLD = 20;

/** So often is looked whether a thread that was signalled while it waits is to end now. */
const SIGNALS_MS = 100;

export class WaitingRequests {
  readonly #parked = new ParkedRequests();

  constructor(
    private readonly channel: Channel,
    private readonly options: WaitingOptions,
  ) {}

  /** The request in the buffer, which serves others from now on. */
  putAside(): Parked {
    const { request } = this.channel;
    const { unique, opcode } = request;
    const sinceMs = performance.now();
    const deadlineMs = sinceMs + this.options.deadlineMs;
    return { unique, opcode, bytes: request.copy(), sinceMs, deadlineMs, thread: request.u32(InHeader.pid) };
  }

  /** Puts the request in the buffer aside until what it misses is here; `again` is what was kept of it the last time. */
  park(missing: Missing, again: Parked | undefined): void {
    const { request } = this.channel;
    if (this.#parked.areGivenUp(missing.keys, performance.now())) {
      this.options.counts.failed(request.opcode);
      this.channel.finish(request.unique, Errno.EIO);
      return;
    }
    const parked = { ...(again ?? this.putAside()), lacks: missing };
    const wanted = new Set(this.#parked.park(parked, missing.keys));
    this.#count();
    if (missing instanceof Unanswered) {
      if (wanted.size > 0) this.options.supplier.ask(missing.question);
      return;
    }
    const blocks = missing.blocks.filter(({ hash }) => wanted.has(hash));
    if (blocks.length + missing.ahead.length > 0) this.options.supplier.fetch(blocks, missing.ahead);
  }

  /** These are here now: the requests that waited for nothing else, to be run again. */
  arrived(keys: readonly string[]): Parked[] {
    const runnable = keys.flatMap((key) => this.#parked.arrived(key));
    this.#count();
    return runnable;
  }

  /** These will not come. */
  failed(keys: readonly string[], errnoNumber: number): void {
    for (const request of keys.flatMap((key) => this.#parked.failed(key))) this.#finish(request, errnoNumber);
  }

  /** The kernel interrupts only a request that was read; with one reader that is one answered already, or one parked. */
  interrupt(unique: number): void {
    const request = this.#parked.find(unique);
    if (!request) return;
    request.isSignalled = true;
    this.#endSignalled([request]);
  }

  /** Fails those that need not, or must not, wait any longer. */
  endSome(): void {
    if (this.#parked.size === 0) return;
    this.#endSignalled(this.#parked.signalled());
    for (const request of this.#parked.expired(performance.now())) {
      this.options.onLate(waitingRequest(request));
      this.#finish(request, Errno.EIO);
    }
  }

  /** The oldest of those that wait. */
  told(): WaitingRequest[] {
    return this.#parked.first(MOST_TOLD).map(waitingRequest);
  }

  /** How long nothing here has to be looked at, in milliseconds; Infinity while nothing waits. */
  sleepMs(): number {
    const untilDeadline = this.#parked.nextDeadlineMs() - performance.now();
    return this.#parked.signalled().length > 0 ? Math.min(untilDeadline, SIGNALS_MS) : untilDeadline;
  }

  /** A program that goes on after one signal may be ended by the next, of which the kernel says nothing. */
  #endSignalled(requests: readonly Parked[]): void {
    for (const request of requests)
      if (isToEnd(request.thread) && this.#parked.take(request.unique)) this.#finish(request, Errno.EINTR);
  }

  #finish({ unique, opcode, sinceMs }: Parked, errnoNumber: number): void {
    this.options.counts.failed(opcode);
    this.options.counts.endWaiting(opcode, sinceMs);
    this.#count();
    this.channel.finish(unique, errnoNumber);
  }

  #count(): void {
    this.options.counts.waiting(this.#parked.size);
  }
}

function waitingRequest({ opcode, sinceMs, lacks }: Parked): WaitingRequest {
  return {
    operation: nameOfOpcode(opcode),
    waitedForMs: performance.now() - sinceMs,
    waitsFor: lacks && firstLack(lacks),
  };
}

function firstLack(lacks: Missing): WaitingRequest["waitsFor"] {
  if (lacks instanceof Unanswered) return { question: lacks.question.about };
  const [block] = lacks.blocks;
  if (block?.link) return { link: block.link.url };
  return block && { remote: block.remote, key: block.key };
}
