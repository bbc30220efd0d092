/**
 * From the text people write for a remote to the remote. The only place that knows which schemes there are.
 * An adapter is loaded when a remote of its kind is opened. What is opened is the bare adapter: who uses it over a network wraps it in `withRetry`.
 */
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { DatasetError } from "../errors.js";
import { canonicalAzureUrl } from "./azure/location.js";
import { canonicalGcsUrl } from "./gcs/location.js";
import type { Remote } from "./remote.js";
import { canonicalS3Url } from "./s3/location.js";

/** Makes the remote behind a URL whose scheme it was registered for. */
export type RemoteOpener = (url: URL) => Remote | Promise<Remote>;

const WHAT_WORKS =
  'an absolute path such as "/data/varve", "file:///data/varve", "s3://bucket/prefix", "gs://bucket/prefix" or "azure://account.blob.core.windows.net/container/prefix"';
/** Stores of the design that this version has no adapter for. */
const NOT_YET = new Set(["http", "https"]);

const openers = new Map<string, RemoteOpener>([
  ["file", async (url) => (await import("./file/file.js")).fileRemote(fileURLToPath(url))],
  ["s3", async (url) => (await import("./s3/s3.js")).openS3(url)],
  ["gs", async (url) => (await import("./gcs/gcs.js")).openGcs(url)],
  ["azure", async (url) => (await import("./azure/azure.js")).openAzure(url)],
  ["zip", async (url) => (await import("./zip/zip.js")).openZip(url)], // Of a bundle, to be read; who is told what works as a remote is not told of it.
]);

/** Makes `openRemote` know URLs `scheme://…`; a scheme registered again has the later opener. */
export function registerScheme(scheme: string, opener: RemoteOpener): void {
  openers.set(scheme, opener);
}

/**
 * Opens a remote. Nothing is read or made yet; the first request tells whether it is there.
 *
 * @param url An absolute path or a URL.
 * @throws {DatasetError} `bad-input` for a relative path or an unknown scheme; `unsupported` for a store that this
 *   version does not speak yet
 */
export async function openRemote(url: string): Promise<Remote> {
  const parsed = parseRemoteUrl(url);
  return openerOf(parsed, url)(parsed);
}

/**
 * The canonical URL of a remote, as the catalog keeps it: `file:///abs/path`, `s3://bucket/prefix?region=…`, with no
 * slash at the end of the path and no credentials.
 * @throws {DatasetError} as `openRemote` does
 */
export function normalizeRemoteUrl(text: string): string {
  const parsed = parseRemoteUrl(text);
  openerOf(parsed, text);
  if (parsed.protocol === "s3:") return canonicalS3Url(parsed);
  if (parsed.protocol === "gs:") return canonicalGcsUrl(parsed);
  if (parsed.protocol === "azure:") return canonicalAzureUrl(parsed);
  if (parsed.protocol !== "file:") return parsed.href;
  return pathToFileURL(resolve(fileURLToPath(parsed))).href;
}

function parseRemoteUrl(text: string): URL {
  if (isAbsolute(text)) return checkedUrl(pathToFileURL(resolve(text)), text);
  if (!URL.canParse(text)) throw badUrl(text, `it is a relative path; give ${WHAT_WORKS}`);
  return checkedUrl(new URL(text), text);
}

function checkedUrl(url: URL, text: string): URL {
  if (url.username || url.password)
    throw badUrl(url.host, "it holds credentials, which belong in the environment");
  if (url.protocol !== "file:") return url;
  if (url.host) throw badUrl(text, `it names the host "${url.host}"; give ${WHAT_WORKS}`);
  if (url.search || url.hash)
    throw badUrl(text, 'it has a "?" or "#"; write "%3F" or "%23", or give the plain path');
  if (/%2f|%00/i.test(url.pathname)) throw badUrl(text, "its path has an encoded slash or NUL");
  return url;
}

function openerOf(url: URL, text: string): RemoteOpener {
  const scheme = url.protocol.slice(0, -1);
  const opener = openers.get(scheme);
  if (opener) return opener;
  if (!NOT_YET.has(scheme)) throw badUrl(text, `its scheme "${scheme}" is unknown; give ${WHAT_WORKS}`);
  const what = `${scheme}:// remotes`;
  throw new DatasetError(
    "unsupported",
    { what },
    `Cannot open the remote "${text}": this version of varve does not speak ${scheme}:// yet; give ${WHAT_WORKS}`,
  );
}

function badUrl(text: string, problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: text }, `Cannot use "${text}" as a remote: ${problem}`);
}
