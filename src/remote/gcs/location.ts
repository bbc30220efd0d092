/** Where a remote in Google Cloud Storage lies, from its URL and the environment: `gs://bucket/prefix?endpoint=…`. */
import {
  type Scheme,
  badUrl,
  checkEndpoint,
  expectOf,
  prefixOf,
  settingsOf,
  writeUrl,
} from "../bucket-url.js";

export interface GcsLocation {
  bucket: string;
  /** Empty, or ends with a slash. */
  prefix: string;
  endpoint: string;
  /** Whether requests carry no token. */
  anonymous: boolean;
}

/** Source: https://cloud.google.com/storage/docs/request-endpoints */
const GOOGLE = "https://storage.googleapis.com";

const SCHEME: Scheme = "gs://";
/** In the order of a canonical URL. */
const SETTINGS = ["anonymous", "endpoint"] as const;
type Setting = (typeof SETTINGS)[number];

/**
 * Reads a URL. With `STORAGE_EMULATOR_HOST`, as Google's own clients have it, requests go there without credentials.
 * @throws {DatasetError} `bad-input` for a setting that is unknown or has another value than it may, and for an endpoint
 *   that must not be given a token
 */
export function parseGcsUrl(url: URL, env: NodeJS.ProcessEnv = process.env): GcsLocation {
  const settings = settingsOf(SCHEME, url, SETTINGS, checkSetting);
  const emulator = settings.endpoint === undefined ? env["STORAGE_EMULATOR_HOST"] : undefined;
  const endpoint = settings.endpoint ?? (emulator ? emulatorUrl(emulator) : GOOGLE);
  const anonymous = settings.anonymous === undefined ? Boolean(emulator) : settings.anonymous === "1";
  if (!anonymous && !mayHaveToken(endpoint))
    throw badUrl(
      SCHEME,
      "credentials go only to https://….googleapis.com and to this machine, not to its endpoint; add anonymous=1",
    );
  return { ...placeOf(url), endpoint, anonymous };
}

/** The one URL of all that say the same. What the environment adds is no part of it. @throws as `parseGcsUrl` does */
export function canonicalGcsUrl(url: URL): string {
  const { bucket, prefix } = placeOf(url);
  return writeUrl(SCHEME, bucket, prefix, settingsOf(SCHEME, url, SETTINGS, checkSetting), SETTINGS);
}

function placeOf(url: URL): { bucket: string; prefix: string } {
  const bucket = url.hostname;
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket) || url.port)
    throw badUrl(SCHEME, "it names no bucket; write gs://bucket/prefix");
  return { bucket, prefix: prefixOf(SCHEME, url.pathname) };
}

function checkSetting(name: Setting, value: string): string {
  if (name === "endpoint") return checkEndpoint(SCHEME, value);
  return expectOf(SCHEME, name, value, /^[01]$/, "0 or 1");
}

function emulatorUrl(host: string): string {
  return checkEndpoint(SCHEME, /^https?:\/\//.test(host) ? host : `http://${host}`);
}

/** A token is good for all its owner may do: a URL that came from elsewhere must not send it anywhere. */
function mayHaveToken(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  if (["localhost", "127.0.0.1", "[::1]"].includes(hostname)) return true;
  return protocol === "https:" && hostname.endsWith(".googleapis.com");
}
