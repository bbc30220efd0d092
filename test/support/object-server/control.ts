/**
 * A server as a process of its own: it prints one line of JSON, what is said of it and where it is controlled. `GET /counts`
 * and `GET /injected` of the control tell what happened, `POST /reset` counts from zero, `PUT /faults` takes a JSON list
 * of fault rules. It ends when its standard input does.
 */
import { once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { FaultRule } from "../faults.js";
import type { ObjectServer } from "./server.js";

/** Resolves once the process is to end. */
export async function serveUntilInputEnds(
  server: ObjectServer,
  said: Record<string, unknown>,
): Promise<void> {
  const control = createServer((request, response) => {
    response.setHeader("connection", "close"); // Who asks may be busy for longer than an idle connection is kept.
    void controlled(server, request).then(
      (answer) => response.end(JSON.stringify(answer)),
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  const { port } = control.address() as AddressInfo;
  const line = { endpoint: server.endpoint, ...said, control: `http://127.0.0.1:${port}` };
  process.stdout.write(`${JSON.stringify(line)}\n`);

  process.stdin.resume();
  await once(process.stdin, "end"); // Nothing is said there.
  control.closeAllConnections();
  control.close();
  await server.close();
}

async function controlled({ counts, faults }: ObjectServer, request: IncomingMessage): Promise<unknown> {
  switch (`${request.method} ${request.url}`) {
    case "GET /counts":
      return counts.byOperation;
    case "GET /injected":
      return faults.injected;
    case "POST /reset":
      counts.reset();
      return {};
    case "PUT /faults":
      faults.set(JSON.parse(await bodyOf(request)) as FaultRule[]);
      return {};
    default:
      throw new Error("No such control");
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
