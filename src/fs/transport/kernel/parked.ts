/**
 * Requests that wait for blocks, and blocks that were asked for. It only keeps the books: asking, answering and the
 * clock are the loop's.
 */
import type { Block } from "../../../cache/block.js";
import type { Sha256 } from "../../../content/chunk.js";

/** A request put aside. */
export interface Parked {
  unique: number;
  /** The request's own bytes, to be run again. */
  bytes: Uint8Array;
  /** After this it fails, whatever it waits for. By the loop's clock. */
  deadlineMs: number;
}

export class ParkedRequests {
  readonly #parked = new Map<number, Parked & { waitsFor: Set<Sha256> }>();
  /** Every block under way, with the requests that wait for it. */
  readonly #waiters = new Map<Sha256, Set<number>>();

  get size(): number {
    return this.#parked.size;
  }

  /** Puts a request aside until all of `blocks` have come; gives those of them that were not under way yet. */
  park(request: Parked, blocks: readonly Block[]): Block[] {
    this.#parked.set(request.unique, { ...request, waitsFor: new Set(blocks.map((block) => block.hash)) });
    return blocks.filter((block) => this.#wait(block.hash, request.unique));
  }

  /** A block has come: the requests that waited for nothing else; they are parked no more. */
  arrived(hash: Sha256): Parked[] {
    const waiting = this.#end(hash);
    for (const request of waiting) request.waitsFor.delete(hash);
    return this.#unpark(waiting.filter((request) => request.waitsFor.size === 0));
  }

  /** A block will not come: the requests that waited for it; they are parked no more. */
  failed(hash: Sha256): Parked[] {
    return this.#unpark(this.#end(hash));
  }

  /** Takes one request out, if it is here; its blocks stay under way. */
  take(unique: number): Parked | undefined {
    const request = this.#parked.get(unique);
    this.#parked.delete(unique);
    return request;
  }

  /** Takes out the requests whose deadline has passed; what they waited for may be asked for again. */
  expired(nowMs: number): Parked[] {
    const late = this.#unpark([...this.#parked.values()].filter((request) => request.deadlineMs <= nowMs));
    for (const request of late) for (const hash of request.waitsFor) this.#giveUpOn(hash);
    return late;
  }

  /** The earliest deadline, or Infinity. */
  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { deadlineMs } of this.#parked.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  /** Whether the block was not under way. */
  #wait(hash: Sha256, unique: number): boolean {
    const waiters = this.#waiters.get(hash);
    if (waiters) waiters.add(unique);
    else this.#waiters.set(hash, new Set([unique]));
    return !waiters;
  }

  /** Forgets that a block is under way, unless somebody else still waits for it. */
  #giveUpOn(hash: Sha256): void {
    const waiters = [...(this.#waiters.get(hash) ?? [])];
    if (!waiters.some((unique) => this.#parked.has(unique))) this.#waiters.delete(hash);
  }

  #end(hash: Sha256): (Parked & { waitsFor: Set<Sha256> })[] {
    const uniques = [...(this.#waiters.get(hash) ?? [])];
    this.#waiters.delete(hash);
    return uniques.flatMap((unique) => this.#parked.get(unique) ?? []);
  }

  #unpark<Each extends Parked>(requests: Each[]): Each[] {
    for (const { unique } of requests) this.#parked.delete(unique);
    return requests;
  }
}
