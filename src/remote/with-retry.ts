/**
 * Patience for a remote: failures that may heal are tried again, and no call waits for ever. Written once for all
 * adapters, which report each failure as it is.
 *
 * - Only `remote-failed` and `remote-short` are tried again, after a random pause that grows; all else is final.
 * - A call, its pauses and further attempts included, ends with `deadline` when the remote is silent for too long.
 * - A put of a stream reads it from its start at each attempt.
 * - A listing goes on after the last key it gave.
 * - A create whose outcome was unknown and which then finds the key taken compares the object with its own bytes: equal
 *   means that the lost attempt had won. Two callers who create equal bytes under one key may thus both succeed, so
 *   whoever must know the winner writes something of its own into the object, as records and leases do with their id.
 */
import { isDatasetError } from "../errors.js";
import { MiB } from "../units.js";
import { noting, remoteActivity } from "./activity.js";
import { checkSignal } from "./cancel.js";
import { type Deadline, startDeadline } from "./deadline.js";
import { DEFAULT_POLICY, type Policy, type RetryOptions, patiently, repeat } from "./patience.js";
import type { Body, ObjectInfo, ObjectKey, Remote, RequestOptions } from "./remote.js";

export type { RetryOptions } from "./patience.js";

/** What an adapter may have taken of a stream and still be sending: several parts of a large object. */
const UNSEEN_STREAM_BYTES = 64 * MiB;

/** What each remote made here asks, for who wants another patience with it. */
const adapters = new WeakMap<Remote, { adapter: Remote; options: RetryOptions }>();

/** `remote`, with retries and a deadline for each call. */
export function withRetry(remote: Remote, options: RetryOptions = {}): Remote {
  const patient = patientRemote(remote, { ...DEFAULT_POLICY, ...options });
  adapters.set(patient, { adapter: remote, options });
  return patient;
}

/** The same remote as one that `withRetry` made, with other attempts in all; any other remote as it is. Closed with it. */
export function withAttempts(remote: Remote, attempts: number): Remote {
  const made = adapters.get(remote);
  return made ? withRetry(made.adapter, { ...made.options, attempts }) : remote;
}

function patientRemote(remote: Remote, policy: Policy): Remote {
  const named = (attempt: string, key: string) => `${attempt} of "${key}" in ${remote.url}`;

  return {
    url: remote.url,
    read(key, start, end, { signal } = {}) {
      const call = { what: named("read", key), signal, movesBytes: end - start };
      return patiently(policy, call, (request) => remote.read(key, start, end, request));
    },
    readWhole(key, options = {}) {
      const call = { what: named("read", key), signal: options.signal };
      return patiently(policy, call, ({ signal }) => remote.readWhole(key, { ...options, signal }));
    },
    stat(key, { signal } = {}) {
      return patiently(policy, { what: named("look-up", key), signal }, (request) =>
        remote.stat(key, request),
      );
    },
    put(key, body, options = {}) {
      const movesBytes = body instanceof Uint8Array ? body.byteLength : UNSEEN_STREAM_BYTES;
      const call = { what: named("put", key), signal: options.signal, movesBytes };
      return patiently(policy, call, (deadline) =>
        remote.put(key, watchedBody(body, deadline), { ...options, signal: deadline.signal }),
      );
    },
    create(key, body, options = {}) {
      const call = { what: named("create", key), signal: options.signal, movesBytes: body.byteLength };
      return patiently(policy, call, async ({ signal }, earlier) => {
        const lostAnswer = async (error: unknown) =>
          earlier > 0 &&
          isDatasetError(error, "object-exists") &&
          (await holds(remote, key, body, { signal }));
        await remote.create(key, body, { ...options, signal }).catch(async (error: unknown) => {
          if (!(await lostAnswer(error))) throw error;
        });
      });
    },
    list: (prefix, options = {}) => listPatiently(remote, policy, prefix, named("listing", prefix), options),
    delete(key, { signal } = {}) {
      return patiently(policy, { what: named("delete", key), signal }, (request) =>
        remote.delete(key, request),
      );
    },
    close: () => remote.close(),
  };
}

/** A body of which each piece that is taken extends the deadline. */
function watchedBody(body: Body, deadline: Deadline): Body {
  if (body instanceof Uint8Array) return body;
  const { sizeBytes, chunks } = body;
  async function* taken() {
    for await (const chunk of chunks()) {
      deadline.extend();
      yield chunk;
    }
  }
  return { sizeBytes, chunks: taken };
}

async function holds(
  remote: Remote,
  key: ObjectKey,
  body: Uint8Array,
  options: RequestOptions,
): Promise<boolean> {
  const info = await remote.stat(key, options);
  if (info?.sizeBytes !== body.byteLength) return false;
  return Buffer.compare(await remote.read(key, 0, body.byteLength, options), body) === 0;
}

/** The deadline counts while a key is waited for, and rests while the caller works on one. */
async function* listPatiently(
  remote: Remote,
  policy: Policy,
  prefix: string,
  what: string,
  options: RequestOptions & { after?: ObjectKey },
): AsyncGenerator<ObjectInfo> {
  checkSignal(options.signal, what);
  const request = remoteActivity.begin(what);
  const deadline = noting(request, startDeadline(policy.deadlineMs, what, options.signal));
  const objects = resumable(
    (after) => remote.list(prefix, { signal: deadline.signal, ...after }),
    options.after,
  );
  let failure: unknown;
  try {
    for (;;) {
      deadline.extend();
      const next = await repeat(policy, request, { what }, deadline, () => objects.next());
      deadline.suspend();
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    remoteActivity.end(request, failure);
    deadline.end();
    objects.letGo();
  }
}

/** A listing whose `next()` may fail and be called again: it goes on after the last key it gave. */
function resumable(
  list: (after: { after?: ObjectKey }) => AsyncIterable<ObjectInfo>,
  first: ObjectKey | undefined,
) {
  let last = first;
  let objects: AsyncIterator<ObjectInfo> | undefined;
  return {
    async next(): Promise<IteratorResult<ObjectInfo>> {
      objects ??= list(last === undefined ? {} : { after: last })[Symbol.asyncIterator]();
      try {
        const next = await objects.next();
        if (!next.done) last = next.value.key;
        return next;
      } catch (error) {
        objects = undefined;
        throw error;
      }
    },
    /** Not awaited: a listing that hangs would keep its caller. */
    letGo: () => void objects?.return?.().catch(() => undefined),
  };
}
