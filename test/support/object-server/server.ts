/**
 * What servers of object stores have in common: requests are counted, go wrong by rule (`../faults.ts`), and are answered
 * as the store's protocol says. Objects lie in a folder that goes away with the server.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Counts, counter } from "./counts.js";
import { type Befalling, type Fault, FaultRules, type Faults } from "../faults.js";
import type { Reply } from "./reply.js";
import { send } from "./send.js";

export interface Protocol<Request extends { operation: string; key: string }> {
  parse(incoming: IncomingMessage): Request;
  /** Never rejects: a failure is an answer. With a refusal, that is the answer and nothing is done. */
  answer(request: Request, refusal: Refusal | undefined, pace: Pace): Promise<Reply>;
}

export type Refusal = Extract<Fault, { kind: "status" }>;

/** Waits for as long as a link needs for this many bytes. */
export type Pace = (bytes: number) => Promise<void> | undefined;

export interface ObjectServer {
  /** `http://127.0.0.1:1234` */
  endpoint: string;
  faults: Faults;
  counts: Counts;
  close(): Promise<void>;
}

/** A new folder for the objects of a server. */
export async function objectFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "varve-objects-"));
}

/** @param folder Removed when the server is closed. @param port Default: one that is free. */
export async function startObjectServer<Request extends { operation: string; key: string }>(
  protocol: Protocol<Request>,
  folder: string,
  port = 0,
): Promise<ObjectServer> {
  const context = { faults: new FaultRules(), counts: counter() };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    void serve(protocol, context, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, ...context, close: () => closeServer(server, folder) };
}

async function serve<Request extends { operation: string; key: string }>(
  protocol: Protocol<Request>,
  { faults, counts }: { faults: FaultRules; counts: ReturnType<typeof counter> },
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  incoming.on("error", () => undefined); // A client that goes away is its own business.
  response.on("error", () => undefined);
  const request = protocol.parse(incoming);
  const { operation, key } = request;
  const befalling = faults.pick(operation, key);
  const counted = counts.begin(operation);
  incoming.on("data", (bytes: Buffer) => counted.received(bytes.length)).pause();
  const reply = await replyTo(protocol, request, befalling);
  if (reply === "reset") return (incoming.socket.resetAndDestroy(), undefined);
  incoming.resume(); // What nobody read must be gone before the next request.
  counted.sent(await send(response, reply, befalling).catch(() => 0));
}

async function replyTo<Request extends { operation: string; key: string }>(
  protocol: Protocol<Request>,
  request: Request,
  befalling: readonly Befalling[],
): Promise<Reply | "reset"> {
  const faults = befalling.map(({ fault }) => fault);
  const find = <Kind extends Fault["kind"]>(kind: Kind) =>
    faults.find((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind);
  await sleep(find("latency")?.ms ?? 0);
  const reset = find("reset")?.when;
  if (reset === "before") return "reset";
  const link = befalling.find((each) => each.link)?.link;
  const reply = await protocol.answer(request, find("status"), (bytes) => link?.take(bytes));
  return reset === "after" ? "reset" : reply;
}

async function closeServer(server: Server, folder: string): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
