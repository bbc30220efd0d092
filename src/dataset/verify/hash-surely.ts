/**
 * Hashes files in the worker threads, and never fails for one that cannot be read: the workers end together with their
 * first failure, so those they had are then read here one by one, and new workers go on with the rest.
 */
import type { Sha256 } from "../../content/chunk.js";
import { hashFiles } from "../../content/hash-files.js";
import { hashOfFile } from "../../content/read-content.js";
import { isDatasetError, messageOf } from "../../errors.js";
import type { ToHash } from "./compare-folder.js";

export interface Hashed {
  file: ToHash;
  state: "same" | "changed" | "unreadable";
  /** In words; empty for the same. */
  problem: string;
}

/** Each file once, in any order. @throws {DatasetError} `cancelled` */
export async function* hashSurely(
  files: AsyncGenerator<ToHash>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Hashed> {
  const asked = new Set<ToHash>();
  let isEnd = false;
  const next = async (): Promise<IteratorResult<{ id: ToHash; sizeBytes: number; path: string }>> => {
    const file = await files.next();
    isEnd ||= file.done === true;
    if (file.done) return { done: true, value: undefined };
    asked.add(file.value);
    return { value: { id: file.value, sizeBytes: file.value.sizeBytes, path: file.value.from } };
  };
  while (!isEnd) {
    try {
      // Without a `return`: what ends the workers does not end the walk.
      for await (const { id, sha256 } of hashFiles(
        { [Symbol.asyncIterator]: () => ({ next }) },
        { signal },
      )) {
        asked.delete(id);
        yield judged(id, sha256);
      }
    } catch (error) {
      if (!isOfOneFile(error)) throw error;
    }
    for (const file of asked) {
      asked.delete(file);
      yield readHere(file);
    }
  }
}

function judged(file: ToHash, sha256: Sha256): Hashed {
  if (sha256 === file.sha256) return { file, state: "same", problem: "" };
  return { file, state: "changed", problem: `SHA-256 ${sha256}, not ${file.sha256}` };
}

function readHere(file: ToHash): Hashed {
  try {
    return judged(file, hashOfFile(file.from).sha256);
  } catch (error) {
    if (!isOfOneFile(error)) throw error;
    return { file, state: "unreadable", problem: messageOf(error) };
  }
}

function isOfOneFile(error: unknown): boolean {
  return isDatasetError(error, "source-unreadable") || isDatasetError(error, "source-changed");
}
