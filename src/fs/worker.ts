/**
 * The thread that owns all file system state of a mount: it opens what is to be served, then answers the kernel until
 * the mount is gone. It waits for nothing but the kernel and the main thread, which fetches what is missing.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";

import { type Block, Missing } from "../cache/block.js";
import { type HandedBlocks, openLocalBlocks } from "../cache/local-blocks.js";
import { failureOf } from "../failure.js";
import type { FromWorker, ToWorker, WorkerData, WorkerFigures, WorkerStart } from "./messages.js";
import { OperationCounts } from "./operation-counts.js";
import { AnswerMemory, type Question, keyOfQuestion } from "./questions.js";
import { rangeLoader } from "./range-loader.js";
import { type ServedTree, openServedTree } from "./served-tree.js";
import type { WholeSource } from "./whole-files.js";
import { type LoopOptions, RequestLoop, type Supplier } from "./transport/kernel/loop.js";
import { Poller, clearEvent } from "./transport/kernel/syscalls.js";

/** Where messages of the main thread arrive: the event is signalled after each. */
class Inbox {
  readonly port: MessagePort;
  readonly event: number;
  readonly counts: OperationCounts;

  constructor({ port, event, counts }: WorkerStart) {
    this.port = port;
    this.event = event;
    this.counts = new OperationCounts(counts);
  }

  /** The next message, where one has arrived. */
  next(): ToWorker | undefined {
    const received = receiveMessageOnPort(this.port) as { message: ToWorker } | undefined;
    return received?.message;
  }

  /** The next message, however long it takes to come. */
  wait(): ToWorker {
    const poller = new Poller(this.event);
    for (;;) {
      const message = this.next();
      if (message) return message;
      poller.wait(-1);
      clearEvent(this.event);
    }
  }
}

class MountWorker implements Supplier {
  readonly #blocks: HandedBlocks;
  readonly #answers = new AnswerMemory();
  readonly #served: ServedTree;
  #loop: RequestLoop | undefined;

  constructor(
    private readonly data: WorkerData,
    private readonly inbox: Inbox,
  ) {
    const onWarning = (event: string, facts: Record<string, unknown>) => this.#warn(event, facts);
    const memory = data.memoryBytes === undefined ? {} : { memoryBytes: data.memoryBytes };
    this.#blocks = openLocalBlocks({
      directory: data.cacheDirectory,
      onWarning,
      onFault: (fault, facts) => this.#send({ type: "cacheFault", fault, facts }),
      ...memory,
    });
    const prefetch = (ahead: readonly Block[]) => this.fetch([], ahead);
    const [blocks, answers, load] = [this.#blocks, this.#answers, rangeLoader(this.#blocks)];
    const supplied = { blocks, answers, prefetch, load, wholes: this.#wholeSource(prefetch) };
    this.#served = openServedTree({ ...data, writeTimes: "told" }, supplied);
  }

  /** Serves the mount that the main thread makes; ends with it, or when there will be none. */
  async run(): Promise<void> {
    this.#send({ type: "ready" });
    const message = this.inbox.wait();
    if (message.type === "serve") {
      this.#loop = this.#loopOf(message.device);
      const end = await this.#loop.run();
      this.#send({ type: "ended", end });
    }
    this.#served.close();
    this.#blocks.close();
  }

  fetch(blocks: readonly Block[], ahead: readonly Block[]): void {
    this.#send({ type: "fetch", blocks, ahead });
  }

  ask(question: Question): void {
    this.#answers.asked(keyOfQuestion(question));
    this.#send({ type: "ask", question });
  }

  receive(): void {
    for (let message = this.inbox.next(); message; message = this.inbox.next()) this.#take(message);
  }

  #wholeSource(prefetch: WholeSource["prefetch"]): WholeSource | undefined {
    if (!this.data.passthrough) return undefined;
    return {
      openWhole: (whole) => this.#blocks.openWhole(whole),
      openProbe: () => this.#blocks.openProbe(),
      settle: (blocks) => this.#send({ type: "settle", blocks }),
      prefetch,
    };
  }

  #loopOf(device: number): RequestLoop {
    const { event, counts } = this.inbox;
    const { deadlineMs } = this.data;
    const onLate: LoopOptions["onLate"] = (request) => this.#send({ type: "late", request });
    const onFailure = (what: string, facts: Record<string, unknown>) => this.#warn(what, facts);
    const onIdle = () => this.#blocks.rest();
    const { fileSystem } = this.#served;
    const told = { onFailure, onIdle, onLate };
    return new RequestLoop({ device, event, fileSystem, supplier: this, deadlineMs, counts, ...told });
  }

  #take(message: ToWorker): void {
    if (message.type === "blocks") {
      for (const { hash, bytes } of message.blocks) this.#blocks.add(hash, bytes, message.isGuess);
      this.#loop?.arrived(message.blocks.map(({ hash }) => hash));
    } else if (message.type === "answered") {
      this.#answers.put(message.key, message.value);
      this.#loop?.arrived([message.key]);
    } else if (message.type === "failed") this.#loop?.failed(message.keys, message.errno);
    else if (message.type === "call") this.#call(message);
    else if (message.type === "figures")
      this.#send({ type: "answer", id: message.id, value: this.#figures() });
    else if (message.type === "hold") this.#stop(message.id, () => this.#loop?.hold());
    else if (message.type === "pause") this.#stop(message.id, () => this.#loop?.pause());
    else if (message.type === "resume") this.#loop?.resume();
    else if (message.type === "stop") this.#loop?.stop();
  }

  #stop(id: number, stop: () => void): void {
    stop();
    this.#send({ type: "answer", id, value: undefined });
  }

  #figures(): WorkerFigures {
    const { hits, memory } = this.#blocks;
    const { blocks, usedBlocks } = this.#blocks.ahead;
    const loop = this.#loop;
    const asked = { writers: loop?.writers ?? 0, waiting: loop?.waiting ?? [] };
    return { hits, memory, ahead: { blocks, usedBlocks }, ...asked };
  }

  /** Runs between two requests, so it sees no operation half done. */
  #call({ id, name, values }: ToWorker & { type: "call" }): void {
    try {
      this.#send({ type: "answer", id, value: this.#served.call(name, values) });
    } catch (thrown) {
      if (thrown instanceof Missing) this.#send({ type: "incomplete", id, blocks: thrown.blocks });
      else this.#send({ type: "refusal", id, failure: failureOf(thrown) });
    }
  }

  #warn(event: string, { error, ...facts }: Record<string, unknown>): void {
    const told = error === undefined ? facts : { ...facts, error: failureOf(error) };
    this.#send({ type: "warning", event, facts: told });
  }

  #send(message: FromWorker): void {
    this.inbox.port.postMessage(message);
  }
}

const inbox = new Inbox(workerData as WorkerStart);
try {
  const first = inbox.wait();
  if (first.type === "open") await new MountWorker(first.data, inbox).run();
} catch (error) {
  inbox.port.postMessage({ type: "broken", failure: failureOf(error) } satisfies FromWorker);
}
inbox.port.close();
