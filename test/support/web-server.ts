/** A web server of files for tests of links: as good as one can be, or lacking what a test takes from it. */
import { createHash } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { type Scope, atEnd } from "./cleanup.js";

export interface WebFile {
  bytes: Uint8Array;
  /** Default: a hash of the bytes. `null`: none. */
  etag?: string | null;
  /** `Last-Modified`. Default: none. */
  modified?: string;
}

/** What the server does not do, or does wrong. */
export interface WebFaults {
  /** Answers ranges with all of the file. */
  noRanges?: boolean;
  /** Does not look at `If-Match` and `If-Unmodified-Since`. */
  noConditions?: boolean;
  /** So many of the next answers end after half of their bodies. */
  cuts?: number;
  /** So many of the next answers are 503. */
  failures?: number;
}

export interface WebServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** By path: `/a.bin`. */
  readonly files: Map<string, WebFile>;
  /** Paths that are elsewhere. */
  readonly redirects: Map<string, string>;
  faults: WebFaults;
  /** `GET /a.bin bytes=0-0`, in order. */
  readonly requests: string[];
}

export async function webServer(scope: Scope): Promise<WebServer> {
  const server = createServer((request, response) => answer(web, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(scope, () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const web: WebServer = { url, files: new Map(), redirects: new Map(), faults: {}, requests: [] };
  return web;
}

function answer(web: WebServer, request: IncomingMessage, response: ServerResponse): void {
  const path = decodeURI(request.url ?? "");
  web.requests.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim());
  const { faults } = web;
  const location = web.redirects.get(path);
  const file = web.files.get(path);
  if (faults.failures) {
    faults.failures--;
    response.writeHead(503).end();
  } else if (location !== undefined) response.writeHead(302, { location }).end();
  else if (!file) response.writeHead(404).end("not here");
  else if (!faults.noConditions && !holds(request, file)) response.writeHead(412).end();
  else sendFile(web, request, response, file);
}

function sendFile(
  { faults }: WebServer,
  { headers }: IncomingMessage,
  response: ServerResponse,
  file: WebFile,
): void {
  const { bytes, modified } = file;
  const etag = etagOf(file);
  const own = {
    ...(etag !== null && { etag }),
    ...(modified !== undefined && { "last-modified": modified }),
  };
  const range = faults.noRanges ? null : /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "");
  if (!range) {
    sendBody(faults, response.writeHead(200, { ...own, "content-length": bytes.length }), bytes);
    return;
  }
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)];
  if (start >= bytes.length)
    return void response.writeHead(416, { ...own, "content-range": `bytes */${bytes.length}` }).end();
  const partial = {
    "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
    "content-length": end - start,
  };
  sendBody(faults, response.writeHead(206, { ...own, ...partial }), bytes.subarray(start, end));
}

function sendBody(faults: WebFaults, response: ServerResponse, body: Uint8Array): void {
  if (!faults.cuts) return void response.end(body);
  faults.cuts--;
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}

function holds({ headers }: IncomingMessage, file: WebFile): boolean {
  const match = headers["if-match"];
  const since = headers["if-unmodified-since"];
  if (match !== undefined) return match === etagOf(file);
  return since === undefined || file.modified === undefined || Date.parse(file.modified) <= Date.parse(since);
}

function etagOf({ bytes, etag }: WebFile): string | null {
  return etag === undefined ? `"${createHash("md5").update(bytes).digest("hex")}"` : etag;
}
