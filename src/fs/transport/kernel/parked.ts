/**
 * Requests that wait for blocks and answers, and which of these were asked for; a key names each. It only keeps the
 * books: asking, answering and the clock are the loop's.
 */

import type { Missing } from "../../../cache/block.js";

/** A request put aside. */
export interface Parked {
  unique: number;
  /** The request's own bytes, to be run again. */
  bytes: Uint8Array;
  opcode: number;
  /** When it was put aside first, and after when it fails, whatever it waits for. By the loop's clock. */
  sinceMs: number;
  deadlineMs: number;
  /** What it lacked when it was put aside last. */
  lacks?: Missing | undefined;
  /** The thread that waits for the answer. */
  thread: number;
  /** It was sent a signal that does not end it; the kernel tells of no other. */
  isSignalled?: boolean;
}

/** So soon after giving up on something nobody waits for it again. */
const GIVEN_UP_MS = 500;

export class ParkedRequests {
  readonly #parked = new Map<number, Parked & { waitsFor: Set<string> }>();
  /** Everything under way, with the requests that wait for it. */
  readonly #waiters = new Map<string, Set<number>>();
  /** What was given up on of late, and when. */
  readonly #givenUp = new Map<string, number>();

  get size(): number {
    return this.#parked.size;
  }

  /** The first of those that wait, in the order they were put aside. */
  first(count: number): Parked[] {
    const first: Parked[] = [];
    for (const request of this.#parked.values()) if (first.push(request) >= count) break;
    return first;
  }

  /** Puts a request aside until all of `keys` have come; gives those of them that were not under way yet. */
  park(request: Parked, keys: readonly string[]): string[] {
    this.#parked.set(request.unique, { ...request, waitsFor: new Set(keys) });
    return keys.filter((key) => this.#wait(key, request.unique));
  }

  /** Something has come: the requests that waited for nothing else; they are parked no more. */
  arrived(key: string): Parked[] {
    const waiting = this.#end(key);
    for (const request of waiting) request.waitsFor.delete(key);
    return this.#unpark(waiting.filter((request) => request.waitsFor.size === 0));
  }

  /** Something will not come: the requests that waited for it; they are parked no more. */
  failed(key: string): Parked[] {
    return this.#unpark(this.#end(key));
  }

  /**
   * Whether some of these were given up on just now. After a failed read-ahead the kernel asks once more for what the
   * reader waits for, who would wait twice as long as agreed.
   */
  areGivenUp(keys: readonly string[], nowMs: number): boolean {
    return keys.some((key) => nowMs - (this.#givenUp.get(key) ?? -Infinity) < GIVEN_UP_MS);
  }

  /** The request of this name, if it is here. */
  find(unique: number): Parked | undefined {
    return this.#parked.get(unique);
  }

  /** The requests whose threads were sent signals while they waited. */
  signalled(): Parked[] {
    return [...this.#parked.values()].filter(({ isSignalled }) => isSignalled);
  }

  /** Takes one request out, if it is here; what it waits for stays under way. */
  take(unique: number): Parked | undefined {
    const request = this.#parked.get(unique);
    this.#parked.delete(unique);
    return request;
  }

  /** Takes out the requests whose deadline has passed; what they waited for may be asked for again. */
  expired(nowMs: number): Parked[] {
    const late = this.#unpark([...this.#parked.values()].filter((request) => request.deadlineMs <= nowMs));
    for (const [key, atMs] of this.#givenUp) if (nowMs - atMs >= GIVEN_UP_MS) this.#givenUp.delete(key);
    for (const request of late) for (const key of request.waitsFor) this.#giveUpOn(key, nowMs);
    return late;
  }

  /** The earliest deadline, or Infinity. */
  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { deadlineMs } of this.#parked.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  /** Whether it was not under way. */
  #wait(key: string, unique: number): boolean {
    const waiters = this.#waiters.get(key);
    if (waiters) waiters.add(unique);
    else this.#waiters.set(key, new Set([unique]));
    return !waiters;
  }

  /** Forgets that something is under way, unless somebody else still waits for it. */
  #giveUpOn(key: string, nowMs: number): void {
    this.#givenUp.set(key, nowMs);
    const waiters = [...(this.#waiters.get(key) ?? [])];
    if (!waiters.some((unique) => this.#parked.has(unique))) this.#waiters.delete(key);
  }

  #end(key: string): (Parked & { waitsFor: Set<string> })[] {
    const uniques = [...(this.#waiters.get(key) ?? [])];
    this.#waiters.delete(key);
    return uniques.flatMap((unique) => this.#parked.get(unique) ?? []);
  }

  #unpark<Each extends Parked>(requests: Each[]): Each[] {
    for (const { unique } of requests) this.#parked.delete(unique);
    return requests;
  }
}
