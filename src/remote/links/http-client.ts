/** GET requests to any web server, redirects followed. No credentials are sent, so none can go to the wrong place. */
import {
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

import { DatasetError, errnoOf, isDatasetError, messageOf } from "../../errors.js";
import { KiB } from "../../units.js";
import { type Attempted, MAX_CONNECTIONS } from "../requests.js";

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** To be read to its end, or destroyed. */
  body: IncomingMessage;
}

export interface HttpClient {
  /** The answer that stands at the end of all redirects, whatever its status. */
  get(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer>;
  close(): void;
}

/** An answer that says no. */
export class HttpRefusal extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
  }
}

/** What browsers follow, and more than any real chain has. */
const MOST_REDIRECTS = 20;
/** To read so much costs less than another connection. */
const READ_OUT_BYTES = 64 * KiB;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export function httpClient(): HttpClient {
  const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  const close = () => {
    agents.http.destroy();
    agents.https.destroy();
  };
  return { get, close };

  async function get(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> {
    let at = new URL(url);
    for (let followed = 0; followed <= MOST_REDIRECTS; followed++) {
      const answer = await send(at, headers, signal);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
      discard(answer);
      at = redirected(url, at, location);
    }
    throw new DatasetError("remote-refused", { key: url }, `Cannot read "${url}": it redirects without end`);
  }

  function send(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const isTls = url.protocol === "https:";
      const answered = (body: IncomingMessage) =>
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
      const outgoing = isTls
        ? httpsRequest(url, { headers, agent: agents.https, signal }, answered)
        : httpRequest(url, { headers, agent: agents.http, signal }, answered);
      outgoing.on("error", reject).end();
    });
  }
}

/** Lets go of an answer; its connection can be used again when little of it is left. */
export function discard({ headers, body }: HttpAnswer): void {
  body.on("error", () => undefined);
  if (Number(headers["content-length"] ?? Infinity) <= READ_OUT_BYTES) body.resume();
  else body.destroy();
}

/** The failure to report for `error`; one that is a failure of ours already stays as it is. */
export function explainHttp(error: unknown, { attempt, key, url }: Attempted): DatasetError {
  if (isDatasetError(error)) return error;
  const [code, reason] = explanationOf(error);
  return new DatasetError(code, { key }, `Cannot ${attempt} "${url}${key}": ${reason}`);
}

type Meaning = "object-missing" | "remote-refused" | "remote-failed";

function explanationOf(error: unknown): [Meaning, string] {
  if (error instanceof HttpRefusal) return refused(error.status);
  const shown = errnoOf(error) ?? "no answer";
  const isOfCertificate = /^(CERT|ERR_TLS|ERR_SSL|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(shown);
  return [
    isOfCertificate ? "remote-refused" : "remote-failed",
    `${messageOf(error).slice(0, 300)} (${shown})`,
  ];
}

function refused(status: number): [Meaning, string] {
  if (status === 404 || status === 410) return ["object-missing", `there is no such file (HTTP ${status})`];
  if (status === 401 || status === 403)
    return [
      "remote-refused",
      `access is denied, and http(s) links are read without credentials (HTTP ${status})`,
    ];
  const mayHeal = status >= 500 ? status !== 501 : [408, 425, 429].includes(status);
  return [mayHeal ? "remote-failed" : "remote-refused", `the server answered with HTTP ${status}`];
}

/** Where to may hold a signature of its own: it is shown in no message. */
function redirected(url: string, from: URL, location: string): URL {
  const fail = (problem: string) =>
    new DatasetError("remote-refused", { key: url }, `Cannot read "${url}": ${problem}`);
  if (!URL.canParse(location, from.href)) throw fail("it redirects to what is no URL");
  const to = new URL(location, from);
  if (to.protocol !== "https:" && to.protocol !== "http:") throw fail("it redirects to another scheme");
  if (from.protocol === "https:" && to.protocol === "http:") throw fail("it redirects from https: to http:");
  return to;
}
