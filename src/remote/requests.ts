/** One request to a store at a time: bounded in number, under a deadline of its own, its failure explained. */
import pLimit from "p-limit";

import { DatasetError, isDatasetError } from "../errors.js";
import { MiB } from "../units.js";
import { cancellable, checkSignal } from "./cancel.js";
import { type Deadline, startDeadline } from "./deadline.js";
import type { ObjectKey } from "./remote.js";

/** To one store at once. At 15 ms a request and 4 MiB each, 64 are more than any link carries. */
export const MAX_CONNECTIONS = 64;
/** A store that is silent for so long has lost the request: it answers in well under a second, when busy in a few. */
const SILENCE_MS = 15_000;
/** What is sent moves unseen: a link of 4 Mbit/s makes this. */
const SENDING_MS_PER_MIB = 2_000;

/** What was attempted: in words, and where. */
export interface Attempted {
  /** A verb: `read`. */
  attempt: string;
  key: ObjectKey;
  url: string;
}

export interface Asked {
  /** A verb for messages: `read`. */
  attempt: string;
  key: ObjectKey;
  signal: AbortSignal | undefined;
  /** Bytes of the request's body. */
  sendsBytes?: number;
}

/** A store, and the client of its SDK. */
export interface Service<Client> {
  url: string;
  /** Called at the first request. */
  open: () => Promise<Client>;
  close: (client: Client) => void;
  /** The failure to report for an error of the SDK; one of ours stays as it is. */
  explain: (error: unknown, attempted: Attempted) => DatasetError;
  /** Longest wait for anything of an answer. Default 15 s. */
  silenceMs?: number | undefined;
}

export interface Requests<Client> {
  readonly url: string;
  /**
   * Sends a request with `send`, which calls `deadline.extend()` when some of the answer has come.
   * @throws {DatasetError} what the request failed with; `remote-failed` when nothing came for 15 s; `cancelled`
   */
  make<T>(asked: Asked, send: (client: Client, deadline: Deadline) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function requestsTo<Client>(service: Service<Client>): Requests<Client> {
  const { url, silenceMs = SILENCE_MS } = service;
  const limit = pLimit(MAX_CONNECTIONS);
  let client: Promise<Client> | undefined;

  return {
    url,
    async make({ attempt, key, signal, sendsBytes = 0 }, send) {
      const what = `${attempt} of "${key}" in ${url}`;
      return cancellable(signal, what, () =>
        limit(async () => {
          checkSignal(signal, what); // It may have been aborted while others were served.
          const ms = silenceMs + Math.ceil((sendsBytes / MiB) * SENDING_MS_PER_MIB);
          const deadline = startDeadline(ms, what, signal);
          try {
            const opened = await (client ??= service.open());
            return await cancellable(deadline.signal, what, () => send(opened, deadline));
          } catch (error) {
            const attempted = { attempt, key, url };
            throw isOwnDeadline(error, signal) ? silent(attempted, ms) : service.explain(error, attempted);
          } finally {
            deadline.end();
          }
        }),
      );
    },
    async close() {
      const opened = client;
      client = undefined;
      await opened?.then(service.close, () => undefined); // What never opened has nothing to let go of.
    },
  };
}

function isOwnDeadline(error: unknown, signal: AbortSignal | undefined): boolean {
  return isDatasetError(error, "deadline") && signal?.aborted !== true;
}

function silent({ attempt, key, url }: Attempted, ms: number): DatasetError<"remote-failed"> {
  const message = `Cannot ${attempt} "${key}" in ${url}: nothing came for ${ms / 1000} s`;
  return new DatasetError("remote-failed", { key }, message);
}
