/**
 * Remotes by their identity for who asks at every request, as a mount does. Where one lies is looked up at most once a
 * second, so that a remote that moved is followed; while the catalog does not answer, it is taken to lie where it lay.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { RemoteId } from "../content/chunk.js";
import { isDatasetError } from "../errors.js";
import type { Remote } from "../remote/remote.js";

/** Asking the catalog takes longer than reading a small file. */
const RECENT_MS = 1_000;
/** Longest wait for an answer where an older one will do. A server that is well answers in some milliseconds. */
const PATIENCE_MS = 1_000;

interface Question {
  remote: Promise<Remote>;
  sinceMs: number;
}

export class RecentRemotes {
  readonly #known = new Map<RemoteId, { remote: Remote; untilMs: number }>();
  readonly #asked = new Map<RemoteId, Question>();

  /** @param find Asks the catalog. */
  constructor(private readonly find: (id: RemoteId) => Promise<Remote>) {}

  /** @throws What `find` throws, but that the catalog is out of reach only while nothing is known. */
  async get(id: RemoteId): Promise<Remote> {
    const known = this.#known.get(id);
    if (known && performance.now() < known.untilMs) return known.remote;
    const { remote, sinceMs } = this.#asked.get(id) ?? this.#ask(id);
    if (!known) return remote;
    const orKnown = (error: unknown) => {
      if (isOutOfReach(error)) return known.remote;
      throw error;
    };
    const patience = new AbortController();
    const waited = sleep(sinceMs + PATIENCE_MS - performance.now(), known.remote, {
      signal: patience.signal,
    });
    return Promise.race([remote.catch(orKnown), waited.catch(() => remote)]).finally(() => patience.abort());
  }

  #ask(id: RemoteId): Question {
    const question = { remote: this.find(id), sinceMs: performance.now() };
    this.#asked.set(id, question);
    question.remote
      .then(
        (remote) => this.#known.set(id, { remote, untilMs: performance.now() + RECENT_MS }),
        (error: unknown) => isOutOfReach(error) || this.#known.delete(id),
      )
      .finally(() => this.#asked.delete(id));
    return question;
  }
}

function isOutOfReach(error: unknown): boolean {
  return isDatasetError(error, "catalog-failed") || isDatasetError(error, "deadline");
}
