/** A remote that is far away: each request is answered some time after it was made. */
import { setTimeout } from "node:timers/promises";

import { cancellable } from "../../src/remote/cancel.js";
import type { Remote, RequestOptions } from "../../src/remote/remote.js";

/** `remote`, with `ms` milliseconds added before each request; a listing counts as one. */
export function withLatency(remote: Remote, ms: number): Remote {
  return {
    url: remote.url,
    async read(key, start, end, options) {
      await travel(key, options);
      return remote.read(key, start, end, options);
    },
    async readWhole(key, options) {
      await travel(key, options);
      return remote.readWhole(key, options);
    },
    async stat(key, options) {
      await travel(key, options);
      return remote.stat(key, options);
    },
    async put(key, body, options) {
      await travel(key, options);
      await remote.put(key, body, options);
    },
    async create(key, body, options) {
      await travel(key, options);
      await remote.create(key, body, options);
    },
    async *list(prefix, options) {
      await travel(prefix, options);
      yield* remote.list(prefix, options);
    },
    async delete(key, options) {
      await travel(key, options);
      await remote.delete(key, options);
    },
    close: () => remote.close(),
  };

  function travel(key: string, options: RequestOptions | undefined): Promise<void> {
    return cancellable(options?.signal, `request for "${key}"`, () => setTimeout(ms));
  }
}
