/** A remote that writes down what it is asked: for tests and benchmarks, where cost is behaviour. */
import type { Body, Remote } from "./remote.js";

export interface Recording extends Remote {
  /** One line a request, as it began: `read packs/ab [0, 5)`, `put packs/ab`, `list packs/`. */
  readonly calls: string[];
  /** Bytes of bodies that the remote took. */
  readonly sentBytes: number;
  /** Bytes that reads gave. */
  readonly receivedBytes: number;
}

/** `remote`, with its requests and bytes written down. */
export function recording(remote: Remote): Recording {
  const calls: string[] = [];
  const bytes = { sent: 0, received: 0 };

  return {
    calls,
    get sentBytes() {
      return bytes.sent;
    },
    get receivedBytes() {
      return bytes.received;
    },
    url: remote.url,
    async read(key, start, end, options) {
      calls.push(`read ${key} [${start}, ${end})`);
      return received(await remote.read(key, start, end, options));
    },
    async readWhole(key, options) {
      calls.push(`readWhole ${key}`);
      return received(await remote.readWhole(key, options));
    },
    async stat(key, options) {
      calls.push(`stat ${key}`);
      return remote.stat(key, options);
    },
    async put(key, body, options) {
      calls.push(`put ${key}`);
      await remote.put(key, body, options);
      bytes.sent += sizeOf(body);
    },
    async create(key, body, options) {
      calls.push(`create ${key}`);
      await remote.create(key, body, options);
      bytes.sent += body.byteLength;
    },
    list(prefix, options) {
      calls.push(options?.after === undefined ? `list ${prefix}` : `list ${prefix} after ${options.after}`);
      return remote.list(prefix, options);
    },
    async delete(key, options) {
      calls.push(`delete ${key}`);
      await remote.delete(key, options);
    },
    close: () => remote.close(),
  };

  function received(answer: Uint8Array): Uint8Array {
    bytes.received += answer.byteLength;
    return answer;
  }
}

function sizeOf(body: Body): number {
  return body instanceof Uint8Array ? body.byteLength : body.sizeBytes;
}
