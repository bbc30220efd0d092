/**
 * Where a remote in Azure Blob Storage lies: `azure://account.blob.core.windows.net/container/prefix`, with the blob
 * service's own address in `endpoint` where the host is not it. A URL holds no credentials; `credential.ts` finds them.
 */
import {
  type Scheme,
  badUrl,
  checkEndpoint,
  expectOf,
  prefixOf,
  settingsOf,
  writeUrl,
} from "../bucket-url.js";
import { connectionOf } from "./connection.js";

export interface AzureLocation {
  account: string;
  container: string;
  /** Empty, or ends with a slash. */
  prefix: string;
  /** The address of the account's blob service, with no slash at its end. */
  endpoint: string;
  /** Whether requests are not signed. */
  anonymous: boolean;
}

/** In the order of a canonical URL. */
const SETTINGS = ["anonymous", "endpoint"] as const;
type Setting = (typeof SETTINGS)[number];

const SCHEME: Scheme = "azure://";
const EXAMPLE = "azure://account.blob.core.windows.net/container/prefix";

/**
 * Reads a URL. Where it sets no endpoint, a connection string of the same account may.
 * @throws {DatasetError} `bad-input` for a setting that is unknown or has another value than it may
 */
export function parseAzureUrl(url: URL, env: NodeJS.ProcessEnv = process.env): AzureLocation {
  const { endpoint, anonymous } = settingsOf(SCHEME, url, SETTINGS, checkSetting);
  const { host, container, prefix } = placeOf(url);
  const account = host.split(".")[0]!;
  const connection = connectionOf(env);
  const address = connection?.account === account ? connection.endpoint : undefined;
  return {
    account,
    container,
    prefix,
    endpoint: checkEndpoint(SCHEME, endpoint ?? address ?? `https://${host}`),
    anonymous: anonymous === "1",
  };
}

/** The one URL of all that say the same. What the environment adds is no part of it. @throws as `parseAzureUrl` does */
export function canonicalAzureUrl(url: URL): string {
  const settings = settingsOf(SCHEME, url, SETTINGS, checkSetting);
  const { host, container, prefix } = placeOf(url);
  return writeUrl(SCHEME, `${host}/${container}`, prefix, settings, SETTINGS);
}

function placeOf(url: URL): { host: string; container: string; prefix: string } {
  const host = url.hostname.toLowerCase();
  // Source: https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
  if (!/^[a-z0-9]{3,24}(\.[a-z0-9-]+)+$/.test(host) || url.port)
    throw badUrl(SCHEME, `it names no account; write ${EXAMPLE}`);
  const [, container = "", path = ""] = /^\/([^/]*)(.*)$/.exec(url.pathname) ?? [];
  if (!/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/.test(container))
    throw badUrl(SCHEME, `it names no container; write ${EXAMPLE}`);
  return { host, container, prefix: prefixOf(SCHEME, path) };
}

function checkSetting(name: Setting, value: string): string {
  if (name === "endpoint") return checkEndpoint(SCHEME, value);
  return expectOf(SCHEME, name, value, /^[01]$/, "0 or 1");
}
