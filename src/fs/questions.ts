/**
 * What the file system must know and only the main thread can find out: the catalog's folders, a version's lineage. An
 * operation that lacks an answer is put aside as one that lacks blocks is, and run again once the answer is here.
 */
import { LRUCache } from "lru-cache";

import { type Block, Missing } from "../cache/block.js";

export type Question = { about: "lineage"; version: string };

/** What each question is answered with: plain data, which goes from thread to thread. */
interface Answers {
  lineage: Lineage;
}
export type AnswerTo<Asked extends Question> = Answers[Asked["about"]];

/** Answers questions, on the main thread. @throws {DatasetError} what kept it from that */
export type Answerer = <Asked extends Question>(question: Asked) => Promise<AnswerTo<Asked>>;

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

/** The answers the worker has been given. */
export class AnswerMemory {
  readonly #known = new LRUCache<string, { value: object; sinceMs: number }>({ max: MOST_ANSWERS });

  /** The answer, given at most so long ago, in milliseconds. @throws {Unanswered} */
  get<Asked extends Question>(question: Asked, maxAgeMs = Infinity): AnswerTo<Asked> {
    const known = this.#known.get(keyOfQuestion(question));
    if (!known || performance.now() - known.sinceMs > maxAgeMs) throw new Unanswered(question);
    return known.value as AnswerTo<Asked>;
  }

  put(key: string, value: object): void {
    this.#known.set(key, { value, sinceMs: performance.now() });
  }
}
