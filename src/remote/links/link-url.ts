/**
 * URLs of external files. They are stored in versions for everybody to read, so they hold no credentials; each source
 * has one form, since the cache and the digests know it by that.
 */
import { resolve } from "node:path";

import { DatasetError } from "../../errors.js";
import { bytesOfText } from "../../paths.js";
import { bytesOfFileUrl, fileUrlOf } from "./file-url.js";

/** Longest URL taken, in characters: servers take 8,000 at most. */
const URL_MAX_LENGTH = 8_000;
/** Parameters of requests that were signed beforehand, and names that people give to secrets. */
const SECRET_PARAMETER =
  /^(x-(amz|goog)-(signature|credential|security-token)|awsaccesskeyid|googleaccessid|sig|signature|(access|auth|api)?[-_]?(token|key)|private[-_]token|secret|password|passwd|pwd)$/i;
const WHERE_CREDENTIALS_BELONG: Readonly<Record<string, string>> = {
  "s3:": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  "gs:": "set GOOGLE_APPLICATION_CREDENTIALS",
  "azure:": "set AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_KEY",
};
const IN_BUCKETS = new Set(Object.keys(WHERE_CREDENTIALS_BELONG));
const NO_CREDENTIALS = "http(s) links are read without; put the file into a bucket, or add it with varve add";

export type LinkScheme = "file" | "http" | "https" | "s3" | "gs" | "azure";
const SCHEMES: ReadonlySet<string> = new Set<LinkScheme>(["file", "http", "https", "s3", "gs", "azure"]);

/**
 * The one form of a URL that people wrote; a text without a scheme is a path of this machine.
 * @throws {DatasetError} `bad-input` for an unknown scheme, credentials, or what is no URL
 */
export function normalizeLinkUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return fileUrlOf(bytesOfText(resolve(text)) + endOf(text));
  if (!URL.canParse(text)) throw refused("it is no URL");
  const url = new URL(text);
  checkCredentials(url);
  if (!SCHEMES.has(url.protocol.slice(0, -1)))
    throw refused(`its scheme "${url.protocol}" is none of s3:, gs:, azure:, file:, http: and https:`);
  if (text.length > URL_MAX_LENGTH) throw refused(`it is longer than ${URL_MAX_LENGTH} characters`);
  if (url.protocol === "file:") return normalFileUrl(url);
  if (url.hash && url.protocol !== "http:" && url.protocol !== "https:")
    throw refused('it has a "#"; write "%23" for one in a name');
  url.hash = "";
  if (IN_BUCKETS.has(url.protocol))
    url.pathname = url.pathname
      .split("/")
      .map((part) => encodeURIComponent(decodedText(part)))
      .join("/");
  return url.href;
}

/** The scheme of a URL in its one form. @throws {DatasetError} `bad-input` */
export function schemeOf(url: string): LinkScheme {
  const scheme = url.slice(0, Math.max(0, url.indexOf(":")));
  if (SCHEMES.has(scheme)) return scheme as LinkScheme;
  throw refused(`its scheme "${scheme}" is unknown to this varve`);
}

/** The last component of a URL's path as a byte string; empty for a folder. */
export function nameInUrl(url: string): string {
  const { pathname } = new URL(url);
  return decodedBytes(pathname.slice(pathname.lastIndexOf("/") + 1));
}

/** A component of a URL as a byte string. */
export function decodedBytes(component: string): string {
  return bytesOfText(component).replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
}

/** A component of a URL as text. @throws {DatasetError} `bad-input` */
export function decodedText(component: string): string {
  try {
    return decodeURIComponent(component);
  } catch {
    throw refused('its path has a "%" that begins no character');
  }
}

function normalFileUrl(url: URL): string {
  if (url.host !== "") throw refused(`it names the host "${url.host}"; files of this machine have none`);
  if (url.search || url.hash)
    throw refused('it has a "?" or "#"; write "%3F" or "%23", or give the plain path');
  return fileUrlOf(bytesOfFileUrl(url.href));
}

/** `resolve` drops the slash that says: a folder. */
function endOf(path: string): string {
  return path.length > 1 && path.endsWith("/") ? "/" : "";
}

/** No value is repeated: it may be the secret. */
function checkCredentials({ protocol, username, password, searchParams }: URL): void {
  const where = WHERE_CREDENTIALS_BELONG[protocol] ?? NO_CREDENTIALS;
  if (username || password) throw refused(`it holds credentials, which would be stored; ${where}`);
  for (const [name] of searchParams)
    if (SECRET_PARAMETER.test(name))
      throw refused(`its parameter "${name}" is a credential, which would be stored; ${where}`);
}

function refused(problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: "URL" }, `Cannot link to this URL: ${problem}`);
}
