/** A proxy before a server of Azure's blob storage: it counts requests, and lets them go wrong by rule. */
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  Agent,
  createServer,
  request as startRequest,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { type Befalling, type Fault, FaultRules, type Faults } from "./faults.js";
import { type Counts, counter } from "./object-server/counts.js";
import type { Reply } from "./object-server/reply.js";
import { send } from "./object-server/send.js";

export interface AzureProxy {
  /** What takes the place of the server's endpoint. */
  endpoint: string;
  faults: Faults;
  /** By Azure's names of operations. */
  counts: Counts;
  close(): Promise<void>;
}

interface Context {
  target: URL;
  agent: Agent;
  faults: FaultRules;
  counts: ReturnType<typeof counter>;
}

/** @param endpoint Of the server's account: `http://127.0.0.1:1234/account`. */
export async function startAzureProxy(endpoint: string): Promise<AzureProxy> {
  const target = new URL(endpoint);
  const context = {
    target,
    agent: new Agent({ keepAlive: true }),
    faults: new FaultRules(),
    counts: counter(),
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    void answer(context, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { faults, counts } = context;
  const close = () => closeServer(server, context.agent);
  return { endpoint: `http://127.0.0.1:${port}${target.pathname}`, faults, counts, close };
}

async function answer(context: Context, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  incoming.on("error", () => undefined); // A client that goes away is its own business.
  response.on("error", () => undefined);
  const operation = operationOf(incoming);
  const befalling = context.faults.pick(operation, keyOf(incoming));
  const counted = context.counts.begin(operation);
  incoming.on("data", (bytes: Buffer) => counted.received(bytes.length)).pause();
  const reply = await replyTo(context, incoming, befalling).catch(() => "reset" as const);
  if (reply === "reset") return (incoming.socket.resetAndDestroy(), undefined);
  incoming.resume(); // What nobody read must be gone before the next request.
  if (incoming.method === "HEAD") return void response.writeHead(reply.status, reply.headers).end();
  counted.sent(await send(response, reply, befalling).catch(() => 0));
}

async function replyTo(
  context: Context,
  incoming: IncomingMessage,
  befalling: readonly Befalling[],
): Promise<Reply | "reset"> {
  const faults = befalling.map(({ fault }) => fault);
  const find = <Kind extends Fault["kind"]>(kind: Kind) =>
    faults.find((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind);
  await sleep(find("latency")?.ms ?? 0);
  const reset = find("reset")?.when;
  if (reset === "before") return "reset";
  const refusal = find("status");
  const reply = refusal ? refused(refusal) : await forwarded(context, incoming);
  return reset === "after" ? "reset" : reply;
}

function refused({ status, code, headers }: Extract<Fault, { kind: "status" }>): Reply {
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  const said = { "content-type": "application/xml", "x-ms-error-code": code, ...headers };
  return { status, headers: said, body: Buffer.from(xml) };
}

/** What the server answers, whole. */
async function forwarded({ target, agent }: Context, incoming: IncomingMessage): Promise<Reply> {
  const { method, url: path, headers } = incoming;
  const { hostname, port } = target;
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = startRequest({ hostname, port, method, path, headers, agent }, resolve);
    outgoing.on("error", reject);
    incoming.on("close", () => incoming.complete || outgoing.destroy());
    incoming.pipe(outgoing);
  });
  const pieces: Buffer[] = [];
  for await (const piece of answered as AsyncIterable<Buffer>) pieces.push(piece);
  return { status: answered.statusCode!, headers: headersOf(answered), body: Buffer.concat(pieces) };
}

/** Those about the message, not about this connection. */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const own = new Set(["connection", "keep-alive", "transfer-encoding"]);
  const kept = Object.entries(headers as OutgoingHttpHeaders).filter(([name]) => !own.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function operationOf({ method, url }: IncomingMessage): string {
  const query = new URL(url!, "http://host").searchParams;
  const [restype, comp] = [query.get("restype"), query.get("comp")];
  if (restype === "container") return comp === "list" ? "ListBlobs" : `${method} container`;
  if (comp === "block") return "PutBlock";
  if (comp === "blocklist") return method === "PUT" ? "PutBlockList" : "GetBlockList";
  return OPERATIONS[method!] ?? method!;
}

const OPERATIONS: Readonly<Record<string, string>> = {
  GET: "GetBlob",
  HEAD: "GetBlobProperties",
  PUT: "PutBlob",
  DELETE: "DeleteBlob",
};

/** Behind account and container. */
function keyOf({ url }: IncomingMessage): string {
  const { pathname } = new URL(url!, "http://host");
  return decodeURIComponent(pathname).split("/").slice(3).join("/");
}

async function closeServer(server: Server, agent: Agent): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  agent.destroy();
  await closed;
}
