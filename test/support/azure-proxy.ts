/** A proxy before a server of Azure's blob storage, so that requests to it are counted, and go wrong by rule. */
import { Agent, type IncomingMessage, request as startRequest } from "node:http";

import type { Reply } from "./object-server/reply.js";
import { type ObjectServer, type Refusal, objectFolder, startObjectServer } from "./object-server/server.js";

/** What the proxy has to know of a request. */
interface Forwarded {
  /** Azure's name of it. */
  operation: string;
  key: string;
  incoming: IncomingMessage;
}

/** @param endpoint Of the server's account: `http://127.0.0.1:1234/account`; the proxy's takes its place. */
export async function startAzureProxy(endpoint: string): Promise<ObjectServer> {
  const target = new URL(endpoint);
  const agent = new Agent();
  const protocol = {
    parse: (incoming: IncomingMessage) => ({ ...namesOf(incoming), incoming }),
    answer: async ({ incoming }: Forwarded, refusal: Refusal | undefined) =>
      refusal ? refused(refusal) : forward(target, agent, incoming).catch(unreachable),
  };
  const server = await startObjectServer(protocol, await objectFolder());
  const close = async () => {
    await server.close();
    agent.destroy();
  };
  return { ...server, endpoint: server.endpoint + target.pathname, close };
}

function refused({ status, code, headers }: Refusal): Reply {
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  const said = { "content-type": "application/xml", "x-ms-error-code": code, ...headers };
  return { status, headers: said, body: Buffer.from(xml) };
}

function unreachable(error: Error): Reply {
  return refused({ kind: "status", status: 502, code: error.message });
}

/** What the server answers, whole. */
async function forward(target: URL, agent: Agent, incoming: IncomingMessage): Promise<Reply> {
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
  const kept = Object.entries(headers).filter(([name]) => !own.has(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** The key lies behind account and container. */
function namesOf({ method, url }: IncomingMessage): Pick<Forwarded, "operation" | "key"> {
  const { searchParams, pathname } = new URL(url!, "http://host");
  const operation = operationOf(method!, searchParams.get("comp"));
  return { operation, key: decodeURIComponent(pathname).split("/").slice(3).join("/") };
}

function operationOf(method: string, component: string | null): string {
  if (component === "list") return "ListBlobs";
  if (component === "block") return "PutBlock";
  if (component === "blocklist") return method === "PUT" ? "PutBlockList" : "GetBlockList";
  return OPERATIONS[method] ?? method;
}

const OPERATIONS: Readonly<Record<string, string>> = {
  GET: "GetBlob",
  HEAD: "GetBlobProperties",
  PUT: "PutBlob",
  DELETE: "DeleteBlob",
};
