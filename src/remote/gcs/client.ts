/**
 * Requests to the JSON API of Google Cloud Storage. Credentials come from the SDK, which is loaded here, when the first
 * request that needs them is made, and nowhere else; see docs/decisions/015-requests-to-gcs.md for why it sends none.
 * Source: https://cloud.google.com/storage/docs/json_api/v1
 */
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as HttpAgent,
  request as httpRequest,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import type { Storage } from "@google-cloud/storage";

import { GcsRefusal, GcsTokenFailure } from "./failure.js";
import type { GcsLocation } from "./location.js";
import { MAX_CONNECTIONS } from "../requests.js";

export interface GcsRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** From the endpoint's root, with its query. */
  path: string;
  headers?: Record<string, string>;
  body?: readonly Uint8Array[];
  /** Answers beside 2xx that are no failures. */
  accepts?: readonly number[];
  signal: AbortSignal;
}

export interface GcsAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** To be read to its end, or destroyed. */
  body: IncomingMessage;
}

export interface GcsClient {
  /** Throws a `GcsRefusal`, a `GcsTokenFailure`, or the error of a system call. */
  send(request: GcsRequest): Promise<GcsAnswer>;
  close(): void;
}

/** Answers that are read as text: a page of a listing has 1,000 objects of at most some 1.5 KiB. */
const TEXT_MAX_BYTES = 4 * 1024 * 1024;

export async function makeGcsClient({ endpoint, anonymous }: GcsLocation): Promise<GcsClient> {
  const tokens = anonymous ? undefined : await loadTokens();
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const isTls = endpoint.startsWith("https:");
  const agent = isTls ? new HttpsAgent(options) : new HttpAgent(options);

  return { send, close: () => agent.destroy() };

  async function send({
    method,
    path,
    headers,
    body = [],
    accepts = [],
    signal,
  }: GcsRequest): Promise<GcsAnswer> {
    const token = await tokens?.();
    signal.throwIfAborted();
    const sizeBytes = body.reduce((sum, piece) => sum + piece.byteLength, 0);
    const length = method === "GET" ? {} : { "content-length": String(sizeBytes) };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const make = isTls ? httpsRequest : httpRequest;
      const all = { ...headers, ...token, ...length };
      const outgoing = make(endpoint + path, { method, headers: all, agent, signal }, resolve);
      outgoing.on("error", reject);
      for (const piece of body) outgoing.write(piece);
      outgoing.end();
    });
    const status = answer.statusCode ?? 0;
    if ((status >= 200 && status < 300) || accepts.includes(status))
      return { status, headers: answer.headers, body: answer };
    throw new GcsRefusal(status, await textOf(answer));
  }
}

/** An answer's body, when it is words. */
export async function textOf(body: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > TEXT_MAX_BYTES) throw new Error("the answer is too long");
    pieces.push(piece);
  }
  // Throws where bytes were damaged: what is no text is no answer.
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
}

/** Lets go of an answer of which only the status counts, so that its connection can be used again. */
export function discard({ body }: GcsAnswer): void {
  body.on("error", () => undefined).resume();
}

/** No request names a project; the SDK would ask Google for one before it gives a token. */
const NO_PROJECT = "none";

/** What every request carries. The SDK keeps a token until it expires, and then gets another. */
async function loadTokens(): Promise<() => Promise<Record<string, string>>> {
  const { Storage } = await import("@google-cloud/storage");
  const storage: Storage = new Storage({ projectId: NO_PROJECT });
  return async () => {
    try {
      return await storage.authClient.getRequestHeaders();
    } catch (error) {
      throw new GcsTokenFailure(error);
    }
  };
}
