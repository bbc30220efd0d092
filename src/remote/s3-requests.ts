/** One request to S3 at a time: bounded in number, under a deadline of its own, its failure explained. */
import type { S3 } from "@aws-sdk/client-s3";
import pLimit from "p-limit";

import { DatasetError, isDatasetError } from "../errors.js";
import { MiB } from "../units.js";
import { cancellable, checkSignal } from "./cancel.js";
import { type Deadline, startDeadline } from "./deadline.js";
import type { ObjectKey } from "./remote.js";
import { MAX_CONNECTIONS, makeS3Client } from "./s3-client.js";
import { type S3Attempt, explainS3 } from "./s3-failure.js";
import type { S3Location } from "./s3-location.js";

/** A store that is silent for so long has lost the request: S3 answers in well under a second, when busy in a few. */
const SILENCE_MS = 15_000;
/** What is sent moves unseen: a link of 4 Mbit/s makes this. */
const SENDING_MS_PER_MIB = 2_000;

export interface Asked {
  /** A verb for messages: `read`. */
  attempt: string;
  key: ObjectKey;
  signal: AbortSignal | undefined;
  /** Bytes of the request's body. */
  sendsBytes?: number;
}

/** Sends a request; `deadline.extend()` when some of the answer has come. */
export type Send<T> = (s3: S3, deadline: Deadline) => Promise<T>;

export interface S3Requests {
  readonly url: string;
  readonly location: S3Location;
  /** @throws {DatasetError} what the request failed with; `remote-failed` when nothing came for 15 s; `cancelled` */
  make<T>(asked: Asked, send: Send<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param silenceMs Longest wait for anything of an answer. Default 15 s. */
export function s3Requests(location: S3Location, url: string, silenceMs = SILENCE_MS): S3Requests {
  const limit = pLimit(MAX_CONNECTIONS);
  let client: Promise<S3> | undefined;

  return { url, location, make, close };

  async function make<T>({ attempt, key, signal, sendsBytes = 0 }: Asked, send: Send<T>): Promise<T> {
    const what = `${attempt} of "${key}" in ${url}`;
    const attempted = { attempt, key, url, location };
    return cancellable(signal, what, () =>
      limit(async () => {
        checkSignal(signal, what); // It may have been aborted while others were served.
        const ms = silenceMs + Math.ceil((sendsBytes / MiB) * SENDING_MS_PER_MIB);
        const deadline = startDeadline(ms, what, signal);
        try {
          const s3 = await (client ??= makeS3Client(location));
          return await cancellable(deadline.signal, what, () => send(s3, deadline));
        } catch (error) {
          throw isOwnDeadline(error, signal) ? silent(attempted, ms) : explainS3(error, attempted);
        } finally {
          deadline.end();
        }
      }),
    );
  }

  async function close(): Promise<void> {
    const opened = client;
    client = undefined;
    (await opened)?.destroy();
  }
}

function isOwnDeadline(error: unknown, signal: AbortSignal | undefined): boolean {
  return isDatasetError(error, "deadline") && signal?.aborted !== true;
}

function silent({ attempt, key, url }: S3Attempt, ms: number): DatasetError<"remote-failed"> {
  const message = `Cannot ${attempt} "${key}" in ${url}: nothing came for ${ms / 1000} s`;
  return new DatasetError("remote-failed", { key }, message);
}
