/** Metrics of a mount on a port of this machine, for a Prometheus that fetches them. */
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatasetError, errnoOf } from "../errors.js";

export interface Place {
  host: string;
  port: number;
}

export interface MetricsServer {
  /** `http://127.0.0.1:9464/metrics` */
  url: string;
  close(): void;
}

const HERE = "127.0.0.1";

/**
 * `PORT`, `HOST:PORT` or `[IPV6]:PORT`; without a host only this machine is answered.
 * @throws {DatasetError} `bad-input`
 */
export function placeOf(text: string): Place {
  const [, host, bare, portText] = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d+)$/.exec(text) ?? [];
  const port = Number(portText);
  if (portText !== undefined && port < 65_536) return { host: host ?? (bare || HERE), port };
  const message = `Cannot serve metrics at "${text}": give PORT or HOST:PORT`;
  throw new DatasetError("bad-input", { value: text }, message);
}

/**
 * @param text Makes the page, anew for each who asks.
 * @throws {DatasetError} `conflict` where somebody listens there already; `bad-input` for a host that is not this machine's
 */
export async function serveMetrics(
  { host, port }: Place,
  text: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("Not found: /metrics is all there is\n");
      return;
    }
    void text().then(
      (page) =>
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }).end(page),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  await listen(server, { host, port });
  server.unref();
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}/metrics`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listen(server: Server, { host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const place = `${host}:${port}`;
      const isTaken = errnoOf(cause) === "EADDRINUSE";
      const message = `Cannot serve metrics at ${place}: ${isTaken ? "somebody listens there already" : cause.message}`;
      if (isTaken) reject(new DatasetError("conflict", { what: place }, message, { cause }));
      else reject(new DatasetError("bad-input", { value: place }, message, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
