/** What the main thread and the worker behind a mount tell each other. Plain data, as `postMessage` carries it. */
import type { MessagePort } from "node:worker_threads";

import type { Block } from "../cache/block.js";
import type { CacheFault } from "../cache/disk.js";
import type { RemoteId, Sha256 } from "../content/chunk.js";
import type { Failure } from "../failure.js";
import type { ObjectKey } from "../remote/remote.js";
import type { ExpectedTree } from "../manifest/outline.js";
import type { Question } from "./questions.js";
import type { NamedVersion } from "./explain/version-facts.js";
import type { EndOfLoop } from "./transport/kernel/loop.js";

/** What a worker is started with. */
export interface WorkerStart {
  /** Where operations are counted; see `operation-counts.ts`. */
  counts: SharedArrayBuffer;
  /** Signalled after each message to the worker, which sleeps in `poll(2)` and not in the event loop. */
  event: number;
  port: MessagePort;
}

/** What a worker serves, and how. */
export interface WorkerData {
  /** The version to be served, with the bytes of its root as they lie in its remote. Undefined: every one there is. */
  shown: { version: NamedVersion; root: Uint8Array; expected?: ExpectedTree | undefined } | undefined;
  /** Which of its entries are shown, one bit an ordinal. Default: all. */
  subset: Uint8Array | undefined;
  cacheDirectory: string;
  memoryBytes: number | undefined;
  /** Where the overlay of a writable mount lies; absent for one that is only read. */
  overlayDirectory: string | undefined;
  /** Whom entries belong to, unless their own owners are shown. */
  uid: number;
  gid: number;
  preserveOwner: boolean;
  /** Whether other users may look in. */
  isShared?: boolean | undefined;
  /** Let the kernel read large cached files by itself, where it can. */
  passthrough: boolean;
  deadlineMs: number;
}

export type ToWorker =
  /** Comes first: open this. */
  | { type: "open"; data: WorkerData }
  /** The mount is made: serve it until it is gone. */
  | { type: "serve"; device: number }
  | { type: "blocks"; blocks: readonly HandedBlock[]; isGuess?: boolean }
  /** The answer to the question of this key. */
  | { type: "answered"; key: string; value: object }
  /** These blocks and answers will not come; who waits for them fails with an errno. */
  | { type: "failed"; keys: readonly string[]; errno: number }
  | { type: "call"; id: number; name: string; values: readonly unknown[] }
  /** Tell what only the worker knows of itself: `WorkerFigures`. */
  | { type: "figures"; id: number }
  /** Let what would change the tree wait, and take what the kernel writes back. */
  | { type: "hold"; id: number }
  /** Answer the kernel nothing, so that the tree stays as it is; and go on. */
  | { type: "pause"; id: number }
  | { type: "resume" }
  /** Stop serving, though the mount is still there. */
  | { type: "stop" };

export type FromWorker =
  | { type: "ready" }
  | { type: "fetch"; blocks: readonly Block[]; ahead: readonly Block[] }
  | { type: "ask"; question: Question }
  /** The blocks of a large file, in order, that should become one file on disk. */
  | { type: "settle"; blocks: readonly Block[] }
  | { type: "answer"; id: number; value: unknown }
  | { type: "refusal"; id: number; failure: Failure }
  /** A call needs these blocks first, and is then to be made again. */
  | { type: "incomplete"; id: number; blocks: readonly Block[] }
  /** A request waited in vain until its deadline. */
  | { type: "late"; request: WaitingRequest }
  /** The cache on disk has mended something. */
  | { type: "cacheFault"; fault: CacheFault; facts: Record<string, unknown> }
  | { type: "warning"; event: string; facts: Record<string, unknown> }
  /** What was to be served could not be opened, or serving broke. */
  | { type: "broken"; failure: Failure }
  | { type: "ended"; end: EndOfLoop };

/** A request of the kernel that waits for something from outside. */
export interface WaitingRequest {
  /** `read`. */
  operation: string;
  waitedForMs: number;
  /** The first of what it waits for: an object of a remote (by the remote's id), an external file, or an answer of the catalog. */
  waitsFor: { remote: RemoteId; key: ObjectKey } | { link: string } | { question: string } | undefined;
}

/** What only the worker knows, told when it is asked. */
export interface WorkerFigures {
  /** Look-ups of blocks, by the tier that answered. */
  hits: { memory: number; disk: number };
  memory: { entries: number; bytes: number; maxBytes: number };
  ahead: { blocks: number; usedBlocks: number };
  /** Handles that may be written to. */
  writers: number;
  /** The oldest requests that wait, at most 20. */
  waiting: readonly WaitingRequest[];
}

/** The bytes lie in memory that both threads see, so that handing them over copies nothing. */
export interface HandedBlock {
  hash: Sha256;
  bytes: Uint8Array;
}
