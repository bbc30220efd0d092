/**
 * What becomes of requests that wait for blocks and answers: these are asked for, and a request whose thread is to end or
 * whose deadline has passed is failed. Running the others again is the loop's.
 */
import { type Block, type Missing } from "../../../cache/block.js";
import { Errno } from "../../errno.js";
import { type Question, Unanswered } from "../../questions.js";
import type { Channel, OnFailure } from "./channel.js";
import { type Parked, ParkedRequests } from "./parked.js";
import { isToEnd } from "./pending-signals.js";
import { InHeader } from "./protocol.js";

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
  onFailure: OnFailure;
}

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
    const deadlineMs = performance.now() + this.options.deadlineMs;
    return { unique: request.unique, bytes: request.copy(), deadlineMs, thread: request.u32(InHeader.pid) };
  }

  /** Puts the request in the buffer aside until what it misses is here; `again` is what was kept of it the last time. */
  park(missing: Missing, again: Parked | undefined): void {
    const { request } = this.channel;
    if (this.#parked.areGivenUp(missing.keys, performance.now())) {
      this.channel.finish(request.unique, Errno.EIO);
      return;
    }
    const wanted = new Set(this.#parked.park(again ?? this.putAside(), missing.keys));
    if (missing instanceof Unanswered) {
      if (wanted.size > 0) this.options.supplier.ask(missing.question);
      return;
    }
    const blocks = missing.blocks.filter(({ hash }) => wanted.has(hash));
    if (blocks.length + missing.ahead.length > 0) this.options.supplier.fetch(blocks, missing.ahead);
  }

  /** These are here now: the requests that waited for nothing else, to be run again. */
  arrived(keys: readonly string[]): Parked[] {
    return keys.flatMap((key) => this.#parked.arrived(key));
  }

  /** These will not come. */
  failed(keys: readonly string[], errnoNumber: number): void {
    for (const { unique } of keys.flatMap((key) => this.#parked.failed(key)))
      this.channel.finish(unique, errnoNumber);
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
    for (const { unique } of this.#parked.expired(performance.now())) {
      this.options.onFailure("request gave up waiting for blocks", { waitedForMs: this.options.deadlineMs });
      this.channel.finish(unique, Errno.EIO);
    }
  }

  /** How long nothing here has to be looked at, in milliseconds; Infinity while nothing waits. */
  sleepMs(): number {
    const untilDeadline = this.#parked.nextDeadlineMs() - performance.now();
    return this.#parked.signalled().length > 0 ? Math.min(untilDeadline, SIGNALS_MS) : untilDeadline;
  }

  /** A program that goes on after one signal may be ended by the next, of which the kernel says nothing. */
  #endSignalled(requests: readonly Parked[]): void {
    for (const { unique, thread } of requests)
      if (isToEnd(thread) && this.#parked.take(unique)) this.channel.finish(unique, Errno.EINTR);
  }
}
