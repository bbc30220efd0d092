/** Hashing files without storing them: for `add` and `sync`, which first want to know what has changed. */
import { mapInOrder } from "./in-order.js";
import { batchSources, hashBatch } from "./read-sources.js";
import { Session, type SessionOptions } from "./session.js";
import type { ContentSource, HashedContent } from "./source.js";

/** A file to hash. `path` is absolute, a byte string; `sizeBytes` as scanned, for planning only. */
export interface PathSource<Id> {
  id: Id;
  sizeBytes: number;
  path: string;
}

/**
 * The hash of each file, in the order given. Reads in the worker threads; holds no content in memory but one window a
 * thread.
 *
 * @throws {DatasetError} `source-unreadable` for a file that is gone, no regular file or not ours to read;
 *   `source-changed` for one that changed in each of five attempts; `cancelled`
 */
export async function* hashFiles<Id>(
  files: AsyncIterable<PathSource<Id>> | Iterable<PathSource<Id>>,
  options: SessionOptions = {},
): AsyncGenerator<HashedContent<Id>> {
  const session = new Session(options);
  yield* session.values(hashWith(session, files));
}

async function* hashWith<Id>(
  session: Session,
  files: AsyncIterable<PathSource<Id>> | Iterable<PathSource<Id>>,
): AsyncGenerator<HashedContent<Id>> {
  const { pool } = session;
  const hash = session.guard((batch: ContentSource<Id>[]) => hashBatch(pool, batch));
  const batches = batchSources(sourcesOf(session.guardItems(files)));
  for await (const contents of mapInOrder(batches, pool.size + 1, hash))
    for (const { source, digest } of contents) {
      const { sizeBytes, sha256, mtimeSec, mtimeNsec, holes } = digest;
      yield { id: source.id, sizeBytes, sha256, mtimeSec, mtimeNsec, holes };
    }
}

async function* sourcesOf<Id>(files: AsyncIterable<PathSource<Id>>): AsyncGenerator<ContentSource<Id>> {
  for await (const { id, sizeBytes, path } of files) yield { id, sizeBytes, from: { path } };
}
