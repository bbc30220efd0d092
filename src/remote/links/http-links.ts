/**
 * External files of web servers. A file is pinned by its strong ETag, else by the time it was modified; the condition goes
 * with each request, and the answer is held against it, since many servers do not look at conditions.
 * Source: https://www.rfc-editor.org/rfc/rfc9110 (13.1 conditions, 14 ranges)
 */
import { DatasetError, isDatasetError } from "../../errors.js";
import { MiB } from "../../units.js";
import { checkAnswered, collect } from "../answers.js";
import type { Deadline } from "../deadline.js";
import { type Requests, requestsTo } from "../requests.js";
import {
  type HttpAnswer,
  type HttpClient,
  HttpRefusal,
  discard,
  explainHttp,
  httpClient,
} from "./http-client.js";
import { type LinkSource, type LinkStore, type SourceInfo, changed, expectSize, pinned } from "./source.js";

/** A server that sends no ranges is asked for all of a file each time some of it is read, so only of small ones. */
const WHOLE_MAX_BYTES = 16 * MiB;
/** Bytes must come as they are: a range of a packed answer is a range of something else. */
const AS_STORED = { "accept-encoding": "identity" };

type Web = Requests<HttpClient>;

/** @param options.silenceMs Longest wait of a request for anything of its answer. Default 15 s. */
export function httpLinks({ silenceMs }: { silenceMs?: number } = {}): LinkStore {
  const client = httpClient();
  const origins = new Map<string, Web>();
  const webOf = (url: string): Web => {
    const { origin } = new URL(url);
    const service = {
      url: origin,
      silenceMs,
      open: async () => client,
      close: () => undefined,
      explain: explainHttp,
    };
    const known = origins.get(origin) ?? requestsTo(service);
    origins.set(origin, known);
    return known;
  };

  return {
    look: (url, { signal } = {}) => look(webOf(url), url, signal),
    read: (source, start, end, { signal } = {}) => readPinned(webOf(source.url), source, start, end, signal),
    list: (folder) => refuseListing(folder),
    close: async () => client.close(),
  };
}

/** Asks for the first byte: that tells size, pins, and whether the server sends ranges. */
async function look(web: Web, url: string, signal: AbortSignal | undefined): Promise<SourceInfo | undefined> {
  const asked = { attempt: "look at", key: keyOf(url), signal };
  try {
    return await web.make(asked, async (http, deadline) => {
      const answer = await http.get(url, { ...AS_STORED, range: "bytes=0-0" }, deadline.signal);
      discard(answer);
      return infoOf(url, answer);
    });
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

function infoOf(url: string, answer: HttpAnswer): SourceInfo {
  const { status, headers } = answer;
  if (![200, 206, 416].includes(status)) throw new HttpRefusal(status);
  const sizeBytes = totalOf(answer);
  if (sizeBytes === undefined) throw unsupported(url, "its server does not say how large it is");
  if (status === 200 && sizeBytes > WHOLE_MAX_BYTES)
    throw unsupported(url, `its server sends no ranges, and it is larger than ${WHOLE_MAX_BYTES / MiB} MiB`);
  const modified = headers["last-modified"];
  return {
    url,
    sizeBytes,
    pins: pinsOf(answer),
    modifiedMs: modified === undefined ? undefined : timeOf(modified),
  };
}

function totalOf({ status, headers }: HttpAnswer): number | undefined {
  const text =
    status === 200 ? headers["content-length"] : /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1];
  return text === undefined ? undefined : Number(text);
}

/** A weak ETag says that two states mean the same, not that their bytes are the same. */
function pinsOf({ headers: { etag, "last-modified": modified } }: HttpAnswer): string[] {
  const pins = etag !== undefined && !etag.startsWith("W/") ? [`etag:${etag}`] : [];
  return modified === undefined || timeOf(modified) === undefined ? pins : [...pins, `modified:${modified}`];
}

function timeOf(date: string): number | undefined {
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? undefined : ms;
}

async function readPinned(
  web: Web,
  source: LinkSource,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { url } = source;
  return web.make({ attempt: "read", key: keyOf(url), signal }, async (http, deadline) => {
    const range = `bytes=${start}-${end - 1}`; // HTTP counts the last byte in.
    const headers = { ...AS_STORED, ...conditionOf(source), range };
    const answer = await http.get(url, headers, deadline.signal);
    try {
      expectPinned(source, answer);
      return await bytesOf(source, answer, start, end, deadline);
    } catch (error) {
      answer.body.on("error", () => undefined).destroy();
      throw error;
    }
  });
}

function conditionOf({ pin }: LinkSource): Record<string, string> {
  const etag = pinned(pin, "etag");
  const modified = pinned(pin, "modified");
  if (etag !== undefined) return { "if-match": etag };
  return modified === undefined ? {} : { "if-unmodified-since": modified };
}

function expectPinned(source: LinkSource, answer: HttpAnswer): void {
  const { url, pin } = source;
  const { status, headers } = answer;
  if (status === 412) throw changed(url, "its server has another state of it now");
  if (status === 416) throw changed(url, "it is shorter now");
  if (status !== 200 && status !== 206) throw new HttpRefusal(status);
  if (pin !== "" && !pinsOf(answer).includes(pin))
    throw changed(url, "its server has another state of it now");
  expectSize(source, totalOf(answer));
  if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity")
    throw unsupported(url, `its server packs it (${headers["content-encoding"]})`);
}

/** An answer without a range is all of the file, which is then small. */
async function bytesOf(
  { url, sizeBytes }: LinkSource,
  { status, headers, body }: HttpAnswer,
  start: number,
  end: number,
  deadline: Deadline,
): Promise<Uint8Array> {
  if (status === 200) {
    if (sizeBytes > WHOLE_MAX_BYTES) throw unsupported(url, "its server sends no ranges any more");
    return (await collect(body, url, sizeBytes, deadline)).slice(start, end);
  }
  const answered = { range: headers["content-range"], sizeBytes: undefined };
  checkAnswered(answered, url, start, end);
  return collect(body, url, end - start, deadline);
}

/** What messages show behind the origin. */
function keyOf(url: string): string {
  const { origin } = new URL(url);
  return url.slice(origin.length);
}

async function* refuseListing(folder: string): AsyncGenerator<never> {
  yield* [];
  const message = `Cannot link to "${folder.replace(/\/$/, "")}": no file is there, and web servers list no folders; name the files`;
  throw new DatasetError("not-found", { what: folder }, message);
}

function unsupported(url: string, problem: string): DatasetError<"unsupported"> {
  return new DatasetError("unsupported", { what: url }, `Cannot link to "${url}": ${problem}`);
}
