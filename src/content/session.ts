/**
 * Work on many contents at once that ends as one: the first failure, or the caller's signal, stops all of it, and
 * nothing is under way any more once the last value has been given or the failure thrown.
 */
import { DatasetError } from "../errors.js";
import { IngestPool } from "./ingest.js";

export interface SessionOptions {
  /** Most worker threads. Default: one a core, at most 8. */
  workers?: number | undefined;
  signal?: AbortSignal | undefined;
}

export class Session {
  readonly pool: IngestPool;
  readonly #stopping = new AbortController();
  readonly #outside: AbortSignal | undefined;
  #failure: { error: unknown } | undefined;

  constructor({ workers, signal }: SessionOptions) {
    this.pool = new IngestPool(workers);
    this.#outside = signal;
    if (signal?.aborted) this.#cancel();
    signal?.addEventListener("abort", this.#cancel, { once: true });
  }

  /** Aborted when the session ends: for whatever it has asked of others. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Stops everything; what fails in consequence is not the failure. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopping.abort(error);
    void this.pool.close();
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** `task`, whose failure is the session's. */
  guard<Ask, Answer>(task: (ask: Ask) => Promise<Answer>): (ask: Ask) => Promise<Answer> {
    return async (ask) => {
      try {
        return await task(ask);
      } catch (error) {
        this.fail(error);
        throw error;
      }
    };
  }

  /** `items`, whose failure is the session's. */
  async *guardItems<Item>(items: AsyncIterable<Item> | Iterable<Item>): AsyncGenerator<Item> {
    try {
      for await (const item of items) yield item;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /**
   * The values of `run`. Whoever leaves early stops what is under way before it is waited for.
   * @throws the first failure
   */
  async *values<Value>(run: AsyncGenerator<Value>): AsyncGenerator<Value> {
    try {
      for (let next = await run.next(); !next.done; next = await run.next()) {
        yield next.value;
        this.throwIfFailed();
      }
    } catch (error) {
      this.fail(error);
    } finally {
      await this.#close();
      await run.return(undefined);
    }
    this.throwIfFailed();
  }

  readonly #cancel = (): void => {
    const message = "Cannot finish reading content: the caller cancelled";
    this.fail(
      new DatasetError("cancelled", { what: "reading content" }, message, { cause: this.#outside?.reason }),
    );
  };

  async #close(): Promise<void> {
    this.#outside?.removeEventListener("abort", this.#cancel);
    this.#stopping.abort();
    await this.pool.close();
  }
}
