/**
 * An S3 server for tests and benchmarks: honest (what it answers, it did), strict (what S3 refuses, it refuses), its
 * objects on disk. It counts requests, and lets them go wrong by rule (`faults.ts`). Path style only; no copies, ACLs or
 * encryption.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Counts, counter } from "./counts.js";
import { S3Error } from "./error.js";
import { type Befalling, type Fault, FaultRules, type Faults } from "../faults.js";
import { perform } from "./operations.js";
import { type Reply, empty } from "./reply.js";
import { type S3Request, parseRequest } from "./request.js";
import { send } from "./send.js";
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

export interface S3Server {
  /** `http://127.0.0.1:1234` */
  endpoint: string;
  account: Account;
  faults: Faults;
  counts: Counts;
  store: Store;
  close(): Promise<void>;
}

const ACCOUNT: Account = {
  accessKeyId: "TESTACCESSKEY",
  secretAccessKey: "a-secret-that-only-this-test-knows",
  region: "us-east-1",
};

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "varve-s3-"));
  const store = new Store(folder, options.versioned === true);
  const publicBuckets = options.publicBuckets ?? [];
  for (const name of [...(options.buckets ?? ["bucket"]), ...publicBuckets]) store.makeBucket(name);
  const account = { ...ACCOUNT, ...options.account };
  const faults = new FaultRules();
  const counts = counter();
  const context = { store, account, faults, counts, publicBuckets, now: options.now ?? Date.now };

  const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
    void answer(context, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => closeServer(server, folder);
  return { endpoint: `http://127.0.0.1:${port}`, account, faults, counts, store, close };
}

interface Context {
  store: Store;
  account: Account;
  faults: FaultRules;
  counts: ReturnType<typeof counter>;
  publicBuckets: readonly string[];
  now: () => number;
}

async function answer(context: Context, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  incoming.on("error", () => undefined); // A client that goes away is its own business.
  response.on("error", () => undefined);
  const request = parseRequest(incoming);
  const { operation, key } = request;
  const befalling = context.faults.pick(operation, key);
  const counted = context.counts.begin(operation);
  incoming.on("data", (bytes: Buffer) => counted.received(bytes.length)).pause();
  const reply = await replyTo(context, request, befalling);
  if (reply === "reset") return (incoming.socket.resetAndDestroy(), undefined);
  incoming.resume(); // What nobody read must be gone before the next request.
  counted.sent(await send(response, reply, befalling).catch(() => 0));
}

async function replyTo(
  context: Context,
  request: S3Request,
  befalling: readonly Befalling[],
): Promise<Reply | "reset"> {
  const faults = befalling.map(({ fault }) => fault);
  const find = <Kind extends Fault["kind"]>(kind: Kind) =>
    faults.find((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind);
  await sleep(find("latency")?.ms ?? 0);
  const reset = find("reset")?.when;
  if (reset === "before") return "reset";
  const link = befalling.find((each) => each.link)?.link;
  const reply = await attempt(context, request, find("status"), (bytes) => link?.take(bytes));
  return reset === "after" ? "reset" : reply;
}

async function attempt(
  { store, account, publicBuckets, now }: Context,
  request: S3Request,
  refusal: Extract<Fault, { kind: "status" }> | undefined,
  pace: (bytes: number) => Promise<void> | undefined,
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

async function closeServer(server: Server, folder: string): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
