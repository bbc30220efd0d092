/**
 * An S3 server for tests and benchmarks: honest (what it answers, it did), strict (what S3 refuses, it refuses), its
 * objects on disk. It counts requests, and lets them go wrong by rule (`object-server/`). Path style only; no copies, ACLs or
 * encryption.
 */
import { type Reply, empty } from "../object-server/reply.js";
import {
  type ObjectServer,
  type Pace,
  type Refusal,
  objectFolder,
  startObjectServer,
} from "../object-server/server.js";
import { S3Error } from "./error.js";
import { perform } from "./operations.js";
import { type S3Request, parseRequest } from "./request.js";
import { type Account, checkSignature } from "./sigv4.js";
import { Store } from "./store.js";

export interface S3ServerOptions {
  /** Default: one that is free. */
  port?: number;
  /** Made at the start. Default `["bucket"]`. */
  buckets?: readonly string[];
  /** Buckets that may be used without a signature. */
  publicBuckets?: readonly string[];
  /** Whether what is replaced or deleted is kept as a version. */
  versioned?: boolean;
  account?: Partial<Account>;
  /** What the server takes for the time, Unix ms. */
  now?: () => number;
}

export interface S3Server extends ObjectServer {
  account: Account;
  store: Store;
}

const ACCOUNT: Account = {
  accessKeyId: "TESTACCESSKEY",
  secretAccessKey: "a-secret-that-only-this-test-knows",
  region: "us-east-1",
};

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const folder = await objectFolder();
  const store = new Store(folder, options.versioned === true);
  const publicBuckets = options.publicBuckets ?? [];
  for (const name of [...(options.buckets ?? ["bucket"]), ...publicBuckets]) store.makeBucket(name);
  const account = { ...ACCOUNT, ...options.account };
  const context = { store, account, publicBuckets, now: options.now ?? Date.now };
  const protocol = {
    parse: parseRequest,
    answer: (request: S3Request, refusal: Refusal | undefined, pace: Pace) =>
      attempt(context, request, refusal, pace),
  };
  const server = await startObjectServer(protocol, folder, options.port);
  return { ...server, account, store };
}

interface Context {
  store: Store;
  account: Account;
  publicBuckets: readonly string[];
  now: () => number;
}

async function attempt(
  { store, account, publicBuckets, now }: Context,
  request: S3Request,
  refusal: Refusal | undefined,
  pace: Pace,
): Promise<Reply> {
  try {
    if (refusal) throw new S3Error(refusal.status, refusal.code, refusal.code, {}, refusal.headers);
    const isSigned = checkSignature(request, account, now());
    if (!isSigned && !publicBuckets.includes(request.bucket))
      throw new S3Error(403, "AccessDenied", "Access Denied");
    return await perform(request, store, pace);
  } catch (error) {
    if (error instanceof S3Error) return errorReply(request, error);
    return errorReply(request, new S3Error(500, "InternalError", String(error)));
  }
}

function errorReply({ method }: S3Request, error: S3Error): Reply {
  if (method === "HEAD" || error.status === 304) return empty(error.status, { ...error.headers });
  const body = Buffer.from(error.xml);
  return { status: error.status, headers: { "content-type": "application/xml", ...error.headers }, body };
}
