/**
 * How commands talk to the process of a mount: a Unix socket (mode 0600), one JSON object a line. A request is answered
 * by any number of progress lines and one last line, a result or a failure.
 *
 * Who connects needs the right to write to the socket, which the kernel checks, and to search its folder, which is the
 * user's own (mode 0700): so both ends are that user, or root.
 */
import { chmodSync, lstatSync, rmSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { DatasetError, errnoOf } from "../errors.js";
import { type Failure, errorOf, failureOf } from "../failure.js";

const requestSchema = z.object({
  operation: z.enum(["status", "figures", "metrics", "diff", "commit", "unmount", "discard"]),
  arguments: z.record(z.string(), z.unknown()),
});
export type ControlRequest = z.infer<typeof requestSchema>;

export type Report = (progress: unknown) => void;
export type Handler = (request: ControlRequest, report: Report) => Promise<unknown>;

type Reply = { progress: unknown } | { result: unknown } | { failure: Failure };

/** A line longer than this is no request of ours. */
const REQUEST_MAX_CHARS = 1_000_000;

/** Whoever may write to a folder may put another socket in the place of one. */
const OTHERS_WRITE = 0o022;

export interface ControlServer {
  /** Takes no more requests; resolves once those taken are answered, or after `ANSWER_WAIT_MS`. */
  close(): Promise<void>;
}

/** Longest a client may take to send its request. */
const REQUEST_WAIT_MS = 10_000;

/** Longest an ending process waits for somebody to take an answer. */
const ANSWER_WAIT_MS = 2_000;

/** Serves requests until the server is closed. */
export async function serveControl(path: string, handle: Handler): Promise<ControlServer> {
  requireOwnFolder(path);
  rmSync(path, { force: true });
  const server = createServer((socket) => serveClient(socket, handle));
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  chmodSync(path, 0o600);
  return { close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ANSWER_WAIT_MS).unref();
    server.close(() => {
      resolve();
    });
  });
}

/** Asks the process behind a socket. @throws {DatasetError} what the process answered; `not-found` when none listens */
export async function askControl(
  path: string,
  request: ControlRequest,
  report?: Report,
  signal?: AbortSignal,
): Promise<unknown> {
  const socket = await connectTo(path);
  const lines = createInterface({ input: socket });
  socket.once("close", () => {
    lines.close();
  });
  signal?.addEventListener("abort", () => socket.destroy(), { once: true });
  socket.write(`${JSON.stringify(request)}\n`);
  try {
    for await (const line of lines) {
      const reply = JSON.parse(line) as Reply;
      if ("progress" in reply) report?.(reply.progress);
      else if ("result" in reply) return reply.result;
      else throw errorOf(reply.failure);
    }
  } finally {
    socket.destroy();
  }
  throw new DatasetError(
    "not-found",
    { what: path },
    `Cannot finish "${request.operation}": the mount's process ended`,
  );
}

function serveClient(socket: Socket, handle: Handler): void {
  socket.on("error", () => socket.destroy());
  socket.setTimeout(REQUEST_WAIT_MS, () => socket.destroy());
  let text = "";
  const take = (piece: string) => {
    text += piece;
    const end = text.indexOf("\n");
    if (end < 0 && text.length <= REQUEST_MAX_CHARS) return;
    socket.off("data", take);
    socket.setTimeout(0);
    void answer(socket, end < 0 ? text : text.slice(0, end), handle);
  };
  socket.setEncoding("utf8").on("data", take);
}

async function answer(socket: Socket, line: string, handle: Handler): Promise<void> {
  const send = (reply: Reply) => {
    if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
  };
  try {
    send({ result: await handle(parseRequest(line), (progress) => send({ progress })) });
  } catch (error) {
    send({ failure: failureOf(error) });
  }
  socket.end();
}

/** @throws {DatasetError} `bad-input` for what is no request */
function parseRequest(line: string): ControlRequest {
  const parsed = line.length <= REQUEST_MAX_CHARS ? requestSchema.safeParse(jsonIn(line)) : undefined;
  if (parsed?.success) return parsed.data;
  const message = "Cannot answer what was asked of the mount: it is no request of this varve";
  throw new DatasetError("bad-input", { value: line.slice(0, 80) }, message);
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Of a socket in a folder that another user can change, either end may be theirs.
 * @throws {DatasetError} `bad-input`
 */
function requireOwnFolder(path: string): void {
  const folder = dirname(path);
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  const isOwn = stat?.uid === process.geteuid?.() || process.geteuid?.() === 0;
  if (!stat || (stat.isDirectory() && isOwn && (stat.mode & OTHERS_WRITE) === 0)) return;
  const message = `Cannot use the control socket "${path}": its folder is not this user's alone; remove it, or set VARVE_HOME to a shorter path`;
  throw new DatasetError("bad-input", { value: path }, message);
}

function connectTo(path: string): Promise<Socket> {
  requireOwnFolder(path);
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      resolve(socket);
    });
    socket.once("error", (error) => {
      const nobody = ["ENOENT", "ECONNREFUSED"].includes(errnoOf(error) ?? "");
      const message = `Cannot reach the mount's process at "${path}": ${nobody ? "it has ended" : error.message}`;
      reject(new DatasetError("not-found", { what: path }, message, { cause: error }));
    });
  });
}
