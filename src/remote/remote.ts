/**
 * The one interface to an object store. It moves bytes by key and has never heard of versions.
 * An adapter translates; retries, limits and recording are wrappers around it.
 */

/** `a/b/c`: no leading slash, no empty, `.` or `..` component, printable ASCII. */
export type ObjectKey = string;

export interface ObjectInfo {
  key: ObjectKey;
  sizeBytes: number;
  /** The store's own time, Unix ms. */
  modifiedMs: number;
}

export interface RequestOptions {
  signal?: AbortSignal | undefined;
}

export interface PutOptions extends RequestOptions {
  /** Hex SHA-256 of the bytes: the adapter lets the store check it where the store can. */
  sha256?: string | undefined;
}

/**
 * Bytes to be sent: whole, or as a stream of known length (an adapter may then use multipart). Each call of `chunks`
 * gives the bytes from the first one on, so that a failed put can be made again.
 */
export type Body = Uint8Array | { sizeBytes: number; chunks: () => AsyncIterable<Uint8Array> };

/**
 * What every adapter keeps (`test/remote/suite.ts` holds each to it):
 * - A read gives exactly the bytes asked for or fails (`object-missing`, `remote-short`); never a shorter buffer.
 * - An object appears whole or not at all. After `put` or `create` resolves, it survives a power loss of the store.
 * - `create` of a key succeeds once, whoever races for it; the losers get `object-exists`.
 * - `list` gives every object under a prefix in bytewise order of keys; an object put before the call is in it.
 * - `delete` of a missing object is no error.
 * - An aborted signal ends a call with `cancelled`.
 */
export interface Remote {
  /** What messages call this remote: its URL without credentials. */
  readonly url: string;

  /** The bytes `[start, end)` of an object; `end` must not lie beyond it. */
  read(key: ObjectKey, start: number, end: number, options?: RequestOptions): Promise<Uint8Array>;

  /** A whole object. For objects known to be small (records, roots); bounded by `maxBytes` (default 256 MiB). */
  readWhole(key: ObjectKey, options?: RequestOptions & { maxBytes?: number }): Promise<Uint8Array>;

  /** Size and time of an object, or undefined when there is none. */
  stat(key: ObjectKey, options?: RequestOptions): Promise<ObjectInfo | undefined>;

  /** Writes an object, replacing one of the same key. */
  put(key: ObjectKey, body: Body, options?: PutOptions): Promise<void>;

  /** Writes an object unless the key exists. @throws {DatasetError} `object-exists` */
  create(key: ObjectKey, body: Uint8Array, options?: PutOptions): Promise<void>;

  /** Every object whose key starts with `prefix`, in bytewise order, only keys after `after` when given. */
  list(prefix: string, options?: RequestOptions & { after?: ObjectKey }): AsyncIterable<ObjectInfo>;

  delete(key: ObjectKey, options?: RequestOptions): Promise<void>;

  /** Lets go of connections. Twice is the same as once. */
  close(): Promise<void>;
}
