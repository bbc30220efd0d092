/** The worker behind a mount as the main thread sees it: starts it, answers its misses, puts questions to it. */
import { closeSync } from "node:fs";
import { MessageChannel, type MessagePort, Worker, receiveMessageOnPort } from "node:worker_threads";

import type { Cache } from "../cache/cache.js";
import type { OnCacheFault } from "../cache/disk.js";
import { DatasetError } from "../errors.js";
import type { Log } from "../log.js";
import { programs } from "../programs.js";
import { errorOf, failureOf } from "../failure.js";
import type {
  FromWorker,
  ToWorker,
  WaitingRequest,
  WorkerData,
  WorkerFigures,
  WorkerStart,
} from "./messages.js";
import { OperationCounts } from "./operation-counts.js";
import type { Answerer } from "./questions.js";
import { Supply } from "./supply.js";
import type { EndOfLoop } from "./transport/kernel/loop.js";
import { openEvent, signalEvent } from "./transport/kernel/syscalls.js";

/** How serving ended: as the worker says, or with what broke it. */
export interface EndOfThread extends EndOfLoop {
  failure?: Error | undefined;
}

type Answer = FromWorker & { type: "answer" | "refusal" | "incomplete" };

/** An end that nobody vouches for counts as cut off. */
const BROKEN: EndOfLoop = { aborted: true, unflushedHandles: 0 };

export class MountThread {
  /** Resolves when what is to be served is open. */
  readonly ready: Promise<void>;
  /** Resolves once the thread is gone. */
  readonly ended: Promise<EndOfThread>;

  /** What the kernel has asked for; written by the worker. */
  readonly counts = new OperationCounts();
  /** Told of each request that waited in vain until its deadline. */
  onLate: ((request: WaitingRequest) => void) | undefined;
  /** Told of what the worker's side of the cache has mended. */
  onCacheFault: OnCacheFault | undefined;

  readonly #event = openEvent();
  readonly #port: MessagePort;
  #supply: Supply | undefined;
  #cache: Cache | undefined;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #nextCall = 1;
  #end: EndOfThread | undefined;
  #isReady: () => void = () => {};

  /** Starts the thread, which loads its code until `open` says what is to be served. */
  constructor(private readonly log: Log) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1.on("message", (message: FromWorker) => this.#take(message));
    const worker = new Worker(programs.mountWorker, {
      workerData: {
        event: this.#event,
        port: port2,
        counts: this.counts.buffer,
      } satisfies WorkerStart,
      transferList: [port2],
    });
    worker.on("error", (failure: Error) => this.#broke(failure));
    this.ended = new Promise((resolve) => worker.on("exit", () => resolve(this.#exited())));
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      void this.ended.then(({ failure }) => reject(failure ?? gone("its worker ended before it began")));
    });
    this.ready.catch(() => {}); // Nobody may be waiting yet.
  }

  /** Opens what is to be served; `ready` tells of it. What it misses comes through the cache, what it asks from `answer`. */
  open(data: WorkerData, cache: Cache, answer: Answerer): void {
    const onFailure = (event: string, facts: Record<string, unknown>) => this.log.warn(event, facts);
    this.#cache = cache;
    this.#supply = new Supply(cache, answer, (message) => this.send(message), onFailure);
    this.send({ type: "open", data });
  }

  /** Sends a message and wakes the worker, which polls for the signal. One that is gone gets none. */
  send(message: ToWorker): void {
    if (this.#end) return;
    this.#port.postMessage(message);
    signalEvent(this.#event);
  }

  /** Runs a named operation in the worker, fetching what it needs as often as it needs something. */
  async call(name: string, values: readonly unknown[]): Promise<unknown> {
    for (;;) {
      const answer = await this.#ask((id) => ({ type: "call", id, name, values }));
      if (answer.type === "answer") return answer.value;
      if (answer.type === "refusal") throw errorOf(answer.failure);
      await this.#supply?.hand(answer.blocks);
    }
  }

  /** What only the worker knows of itself. */
  async figures(): Promise<WorkerFigures> {
    return ((await this.#ask((id) => ({ type: "figures", id }))) as { value: WorkerFigures }).value;
  }

  /** Resolves when nobody writes to the mount or its names any more until `resume`, but what the kernel writes back. */
  async hold(): Promise<void> {
    await this.#ask((id) => ({ type: "hold", id }));
  }

  /** Resolves when the worker answers the kernel nothing until `resume`. */
  async pause(): Promise<void> {
    await this.#ask((id) => ({ type: "pause", id }));
  }

  resume(): void {
    this.send({ type: "resume" });
  }

  /** What came from the worker. */
  #take(message: FromWorker): void {
    if (message.type === "ready") this.#isReady();
    else if (message.type === "fetch") this.#supply?.fetch(message.blocks, message.ahead);
    else if (message.type === "ask") void this.#supply?.ask(message.question);
    else if (message.type === "settle") void this.#cache?.settle(message.blocks);
    else if (message.type === "late") this.#isLate(message.request);
    else if (message.type === "cacheFault") this.onCacheFault?.(message.fault, message.facts);
    else if (message.type === "warning") this.log.warn(message.event, message.facts);
    else if (message.type === "ended") this.#end = message.end;
    else if (message.type === "broken") this.#broke(errorOf(message.failure));
    else this.#asked.get(message.id)?.(message);
  }

  #isLate(request: WaitingRequest): void {
    if (this.onLate) this.onLate(request);
    else this.log.warn("request gave up waiting", { ...request });
  }

  #broke(failure: Error): void {
    this.log.error("mount worker broke", { error: failure });
    this.#end = { ...BROKEN, failure };
  }

  #exited(): EndOfThread {
    this.#takeLast();
    this.#end ??= BROKEN;
    this.#port.close();
    closeSync(this.#event);
    for (const [id, answer] of this.#asked)
      answer({ type: "refusal", id, failure: failureOf(gone("it has ended")) });
    return this.#end;
  }

  /** The thread's end may be told before its last words are. */
  #takeLast(): void {
    const next = () => receiveMessageOnPort(this.#port) as { message: FromWorker } | undefined;
    for (let last = next(); last; last = next()) this.#take(last.message);
  }

  async #ask(messageOf: (id: number) => ToWorker): Promise<Answer> {
    if (this.#end) throw gone("it has ended");
    const id = this.#nextCall++;
    const answer = new Promise<Answer>((resolve) => this.#asked.set(id, resolve));
    this.send(messageOf(id));
    return answer.finally(() => this.#asked.delete(id));
  }
}

function gone(state: string): DatasetError<"not-found"> {
  return new DatasetError("not-found", { what: "mount" }, `Cannot ask the mount: ${state}`);
}
