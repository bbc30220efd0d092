/**
 * How commands talk to the process of a mount: a Unix socket (mode 0600), one JSON object a line. A request is answered
 * by any number of progress lines and one last line, a result or a failure.
 */
import { chmodSync, rmSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { DatasetError, errnoOf } from "../errors.js";
import { type Failure, errorOf, failureOf } from "../failure.js";

export interface ControlRequest {
  operation: "status" | "figures" | "metrics" | "diff" | "commit" | "unmount" | "discard";
  arguments: Record<string, unknown>;
}

export type Report = (progress: unknown) => void;
export type Handler = (request: ControlRequest, report: Report) => Promise<unknown>;

type Reply = { progress: unknown } | { result: unknown } | { failure: Failure };

/** A line longer than this is no request of ours. */
const REQUEST_MAX_CHARS = 1_000_000;

export interface ControlServer {
  /** Takes no more requests; resolves once those taken are answered, or after `ANSWER_WAIT_MS`. */
  close(): Promise<void>;
}

/** Longest an ending process waits for somebody to take an answer. */
const ANSWER_WAIT_MS = 2_000;

/** Serves requests until the server is closed. */
export async function serveControl(path: string, handle: Handler): Promise<ControlServer> {
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
  const lines = createInterface({ input: socket });
  lines.on("error", () => socket.destroy());
  lines.once("line", (line) => {
    lines.close();
    void answer(socket, line, handle);
  });
}

async function answer(socket: Socket, line: string, handle: Handler): Promise<void> {
  const send = (reply: Reply) => {
    if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
  };
  try {
    if (line.length > REQUEST_MAX_CHARS) throw new Error("the request is too long");
    const request = JSON.parse(line) as ControlRequest;
    send({ result: await handle(request, (progress) => send({ progress })) });
  } catch (error) {
    send({ failure: failureOf(error) });
  }
  socket.end();
}

function connectTo(path: string): Promise<Socket> {
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
