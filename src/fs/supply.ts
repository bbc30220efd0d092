/**
 * The main thread's half of a miss: fetches what the worker asks for through the cache, has its questions answered, and
 * hands over what came. Parking and running requests again is the worker's half.
 */
import type { Block } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import { ownBytes } from "../cache/memory.js";
import type { Sha256 } from "../content/chunk.js";
import { messageOf } from "../errors.js";
import { Errno, errnoNumberOf } from "./errno.js";
import type { HandedBlock, ToWorker } from "./messages.js";
import { type Answerer, type Question, keyOfQuestion } from "./questions.js";

/** Told once of each block that could not be had, however many wait for it. */
export type OnFailure = (event: string, facts: Record<string, unknown>) => void;

export class Supply {
  /** Blocks fetched ahead that have arrived and go over together, at the end of this turn of the event loop. */
  #arrived: HandedBlock[] = [];
  /** Blocks fetched ahead that have not arrived yet. */
  readonly #coming = new Set<Sha256>();

  constructor(
    private readonly cache: Cache,
    private readonly answer: Answerer,
    private readonly send: (message: ToWorker) => void,
    private readonly onFailure: OnFailure,
  ) {}

  /** Fetches blocks that somebody waits for, and with or after them blocks that may be asked for soon. */
  fetch(blocks: readonly Block[], ahead: readonly Block[]): void {
    const others = ahead.filter(({ hash }) => !this.#coming.has(hash));
    if (blocks.length > 0) void this.#fetchWanted(blocks, others);
    if (others.length > 0) this.#fetchAhead(others);
  }

  /** Has a question answered that somebody waits for. */
  async ask(question: Question): Promise<void> {
    const key = keyOfQuestion(question);
    try {
      this.send({ type: "answered", key, value: await this.answer(question) });
    } catch (error) {
      this.onFailure("question could not be answered", { ...question, problem: messageOf(error) });
      this.send({ type: "failed", keys: [key], errno: errnoNumberOfLack(error) });
    }
  }

  /** Fetches blocks and hands them over. @throws {DatasetError} What the cache throws */
  async hand(blocks: readonly Block[], along: readonly Block[] = []): Promise<void> {
    const bytes = await this.cache.readMany(blocks, { along });
    this.send({ type: "blocks", blocks: blocks.map((block, at) => handed(block, bytes[at]!)) });
  }

  /** Together they share requests; when one of them fails, each is asked for again, to know which. */
  async #fetchWanted(blocks: readonly Block[], along: readonly Block[] = []): Promise<void> {
    try {
      await this.hand(blocks, along);
    } catch (error) {
      if (blocks.length === 1) this.#fail(blocks[0]!, error);
      else await Promise.all(blocks.map((block) => this.#fetchWanted([block])));
    }
  }

  #fail({ hash, key }: Block, error: unknown): void {
    this.onFailure("block could not be fetched", { hash, key, problem: messageOf(error) });
    this.send({ type: "failed", keys: [hash], errno: errnoNumberOfLack(error) });
  }

  /** They are handed over, too: a file of 1 KiB is read in less time than a question takes to get here. */
  #fetchAhead(blocks: readonly Block[]): void {
    for (const { hash } of blocks) this.#coming.add(hash);
    this.cache.prefetch(blocks, (block, bytes) => {
      this.#coming.delete(block.hash);
      if (bytes) this.#keep(handed(block, bytes)); // Who needs one that did not come will ask, and hear why.
    });
  }

  #keep(block: HandedBlock): void {
    if (this.#arrived.length === 0) setImmediate(() => this.#handArrived());
    this.#arrived.push(block);
  }

  #handArrived(): void {
    this.send({ type: "blocks", blocks: this.#arrived, isGuess: true });
    this.#arrived = [];
  }
}

/** Who asked for a name that is there must not hear that it is not, when what cannot be found is its remote. */
function errnoNumberOfLack(error: unknown): number {
  const errno = errnoNumberOf(error);
  return errno === Errno.ENOENT ? Errno.EIO : errno;
}

function handed({ hash }: Block, bytes: Uint8Array): HandedBlock {
  return { hash, bytes: ownBytes(bytes) };
}
