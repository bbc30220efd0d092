/**
 * A server of the JSON API of Google Cloud Storage for tests and benchmarks: honest (what it answers, it did), strict (what
 * Google refuses, it refuses), its objects on disk. It counts requests, and lets them go wrong by rule
 * (`object-server/`). No copies, composing, ACLs or buckets made by request.
 */
import { type Reply, empty } from "../object-server/reply.js";
import {
  type ObjectServer,
  type Pace,
  type Refusal,
  objectFolder,
  startObjectServer,
} from "../object-server/server.js";
import { GcsError } from "./error.js";
import { type Context, perform } from "./operations.js";
import { type GcsRequest, parseRequest } from "./request.js";
import type { Session } from "./resumable.js";
import { Store } from "./store.js";
import { Tokens } from "./tokens.js";

export interface GcsServerOptions {
  /** Default: one that is free. */
  port?: number;
  /** Made at the start. Default `["bucket"]`. */
  buckets?: readonly string[];
  /** Buckets that may be used without a token. */
  publicBuckets?: readonly string[];
}

export interface GcsServer extends ObjectServer {
  store: Store;
  /** Uploads that have been begun. */
  sessions: ReadonlyMap<string, Session>;
  /** Who shows it to `endpoint/token` is given a token. */
  subjectToken: string;
}

interface Served extends Context {
  tokens: Tokens;
  publicBuckets: readonly string[];
}

export async function startGcsServer(options: GcsServerOptions = {}): Promise<GcsServer> {
  const { port, buckets = ["bucket"], publicBuckets = [] } = options;
  const folder = await objectFolder();
  const store = new Store(folder);
  for (const name of [...buckets, ...publicBuckets]) store.makeBucket(name);
  const tokens = new Tokens("a-subject-that-only-this-test-knows");
  const served = { store, folder, sessions: new Map<string, Session>(), tokens, publicBuckets };
  const protocol = {
    parse: parseRequest,
    answer: (request: GcsRequest, refusal: Refusal | undefined, pace: Pace) =>
      answer(served, request, refusal, pace),
  };
  const server = await startObjectServer(protocol, folder, port);
  return { ...server, store, sessions: served.sessions, subjectToken: tokens.subject };
}

async function answer(
  served: Served,
  request: GcsRequest,
  refusal: Refusal | undefined,
  pace: Pace,
): Promise<Reply> {
  try {
    if (refusal) throw new GcsError(refusal.status, refusal.code, refusal.code, refusal.headers);
    if (request.operation === "token") return await served.tokens.give(request);
    served.tokens.check(request, served.publicBuckets.includes(request.bucket));
    return await perform(request, served, pace);
  } catch (error) {
    if (error instanceof GcsError) return errorReply(request, error);
    return errorReply(request, new GcsError(500, "internalError", String(error)));
  }
}

/** To a download Google answers in words. */
function errorReply({ operation }: GcsRequest, { status, message, json, headers }: GcsError): Reply {
  if (status === 304) return empty(304);
  const isDownload = operation === "objects.download";
  const type = isDownload ? "text/html; charset=UTF-8" : "application/json; charset=UTF-8";
  return {
    status,
    headers: { "content-type": type, ...headers },
    body: Buffer.from(isDownload ? message : json),
  };
}
