/**
 * What the file system must know and only the main thread can find out: the catalog's folders, a version's lineage. An
 * operation that lacks an answer is put aside as one that lacks blocks is, and run again once the answer is here.
 */
import { LRUCache } from "lru-cache";

import { type Block, Missing } from "../cache/block.js";
import type { ExpectedTree } from "../manifest/outline.js";

export type Question =
  | { about: "lineage"; version: string }
  /** `path` is a project, a dataset, or both; the empty one is above them all. */
  | { about: "folder"; path: string }
  | { about: "totals" };

/** What each question is answered with: plain data, which goes from thread to thread. */
export interface Answers {
  lineage: Lineage;
  folder: CatalogFolder;
  totals: { files: number; bytes: number };
}

/** Answers questions, on the main thread, each as `Answers` says. @throws {DatasetError} what kept it from that */
export type Answerer = (question: Question) => Promise<object>;

/** A version and all its ancestors that the catalog knows. */
export interface Lineage {
  versions: readonly LineageVersion[];
  /** What `varve log --json` says of it. */
  json: string;
}

export interface LineageVersion {
  id: string;
  /** `project/name@label`. */
  reference: string;
  /** Ids, in order of merging: the later wins. The catalog need not know them. */
  parents: readonly string[];
  /** Holds the root of its tree; undefined when it has none. */
  root: Block | undefined;
}

/** What the catalog holds at a path. Names are byte strings. */
export interface CatalogFolder {
  /** Datasets, with the time they were made, and folders of projects. */
  folders: readonly { name: string; createdAtMs: number | undefined }[];
  /** The finished versions of a dataset, in the order of their labels. */
  versions: readonly CatalogVersion[];
  /** The label that `latest` means. */
  latest: string | undefined;
}

export interface CatalogVersion {
  id: string;
  label: string;
  /** `project/name@label`. */
  reference: string;
  completedAtMs: number;
  /** Holds the root of its tree. */
  root: Block;
  /** What that must be. */
  expected?: ExpectedTree | undefined;
}

/** Thrown by an operation that needs an answer which is not here, or no longer fresh enough. */
export class Unanswered extends Missing {
  constructor(readonly question: Question) {
    super([]);
  }

  override get keys(): readonly string[] {
    return [keyOfQuestion(this.question)];
  }
}

/** Names a question; no hash is named so. */
export function keyOfQuestion(question: Question): string {
  return JSON.stringify(question);
}

/** Answers kept at a time: a walk asks one question a folder, and each once. */
const MOST_ANSWERS = 256;
/** An answer holds for so many times what it took to get, at most this long: asking must not be all there is to do. */
const WORTH = 5;
const MOST_WORTH_MS = 10_000;

/** The answers the worker has been given. */
export class AnswerMemory {
  readonly #known = new LRUCache<string, { value: object; sinceMs: number; worthMs: number }>({
    max: MOST_ANSWERS,
  });
  readonly #askedAtMs = new Map<string, number>();

  /** The answer, given at most so long ago, in milliseconds, or longer where it took long. @throws {Unanswered} */
  get<Asked extends Question>(question: Asked, maxAgeMs = Infinity): Answers[Asked["about"]] {
    const known = this.#known.get(keyOfQuestion(question));
    const isFresh = known && performance.now() - known.sinceMs <= Math.max(maxAgeMs, known.worthMs);
    if (!isFresh) throw new Unanswered(question);
    return known.value as Answers[Asked["about"]];
  }

  /** The question of this key is on its way. */
  asked(key: string): void {
    this.#askedAtMs.set(key, performance.now());
  }

  put(key: string, value: object): void {
    const sinceMs = performance.now();
    const tookMs = sinceMs - (this.#askedAtMs.get(key) ?? sinceMs);
    this.#askedAtMs.delete(key);
    this.#known.set(key, { value, sinceMs, worthMs: Math.min(tookMs * WORTH, MOST_WORTH_MS) });
  }
}
