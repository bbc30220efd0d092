/**
 * Where a remote in S3 lies, from its URL and the environment: `s3://bucket/prefix?endpoint=…&region=…`. A URL holds no
 * credentials: it is stored in catalogs and records and shown in messages, so what it may say is a closed list.
 */
import { DatasetError } from "../errors.js";
import { isKey } from "./key.js";

export interface S3Location {
  bucket: string;
  /** Empty, or ends with a slash. */
  prefix: string;
  /** Of a store that is not Amazon's. */
  endpoint: string | undefined;
  /** Undefined: as the SDK finds it in the user's configuration. */
  region: string | undefined;
  /** Whether the bucket is named in the path and not in the host. Default: with an endpoint. */
  pathStyle: boolean;
  /** Whether checksums are sent and asked for wherever S3 can, or only where it must. Default: on Amazon's S3, `true`. */
  checksums: boolean;
  /** Whether requests are not signed. */
  anonymous: boolean;
}

/** The part of a URL's settings that was given; in the order of a canonical URL. */
const SETTINGS = ["anonymous", "checksums", "endpoint", "pathStyle", "region"] as const;
type Setting = (typeof SETTINGS)[number];
type Settings = Partial<Record<Setting, string>>;

const EXAMPLE = "s3://bucket/prefix?endpoint=https://host&region=eu-central-1";
/** Where no region is set but an endpoint is, its store mostly knows one region and calls it this. */
const FALLBACK_REGION = "us-east-1";

/**
 * Reads a URL.
 * @throws {DatasetError} `bad-input` for a setting that is unknown or has another value than it may;
 *   `unsupported` for a kind of bucket that lists in no order
 */
export function parseS3Url(url: URL, env: NodeJS.ProcessEnv = process.env): S3Location {
  const settings = settingsOf(url);
  const endpoint = settings.endpoint ?? env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  const region = settings.region ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  return {
    ...placeOf(url),
    endpoint: endpoint === undefined ? undefined : checkEndpoint(endpoint),
    region: region ?? (endpoint === undefined ? undefined : FALLBACK_REGION),
    pathStyle: settings.pathStyle === undefined ? endpoint !== undefined : settings.pathStyle === "1",
    checksums: checksumsOf(settings, env, endpoint),
    anonymous: settings.anonymous === "1",
  };
}

/** The one URL of all that say the same. What the environment adds is no part of it. @throws as `parseS3Url` does */
export function canonicalS3Url(url: URL): string {
  const settings = settingsOf(url);
  const { bucket, prefix } = placeOf(url);
  const path = prefix.split("/").map(encodeURIComponent).join("/").replace(/\/$/, "");
  const given = SETTINGS.filter((name) => settings[name] !== undefined);
  const query = new URLSearchParams(
    given.map((name): [string, string] => [name, settings[name]!]),
  ).toString();
  return `s3://${bucket}${path && `/${path}`}${query && `?${query}`}`;
}

function placeOf(url: URL): { bucket: string; prefix: string } {
  const bucket = url.hostname;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket) || url.port)
    throw badUrl(`it names no bucket; write ${EXAMPLE}`);
  if (bucket.endsWith("--x-s3")) {
    const message = `Cannot use the bucket "${bucket}" as a remote: a directory bucket lists in no order; take a general purpose one`;
    throw new DatasetError("unsupported", { what: "directory buckets" }, message);
  }
  const path = decoded(url.pathname).replace(/^\/+|\/+$/g, "");
  if (path !== "" && !isKey(path)) throw badUrl(`its prefix ${JSON.stringify(path)} can be no key`);
  return { bucket, prefix: path && `${path}/` };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badUrl('its path has a "%" that begins no character');
  }
}

function settingsOf({ searchParams, hash }: URL): Settings {
  if (hash) throw badUrl('it has a "#"');
  const settings: Settings = {};
  for (const [name, value] of searchParams) {
    const known = SETTINGS.find((setting) => setting === name);
    // The value is not shown: it may be a secret that somebody took for a setting.
    if (!known) throw badUrl(`it has the unknown setting "${name}"; there are ${SETTINGS.join(", ")}`);
    settings[known] = checkSetting(known, value);
  }
  return settings;
}

function checkSetting(name: Setting, value: string): string {
  if (name === "endpoint") return checkEndpoint(value);
  if (name === "region") return expectOf(name, value, /^[a-z0-9-]{1,64}$/i, "a region such as eu-central-1");
  if (name === "checksums")
    return expectOf(name, value, /^when-(required|supported)$/, "when-required or when-supported");
  return expectOf(name, value, /^[01]$/, "0 or 1");
}

function expectOf(name: Setting, value: string, pattern: RegExp, wanted: string): string {
  if (pattern.test(value)) return value;
  throw badUrl(`its setting "${name}" is not ${wanted}`);
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash)
    throw badUrl("its endpoint is no URL such as https://host:9000");
  if (url.username || url.password)
    throw badUrl("its endpoint holds credentials, which belong in the environment");
  return url.href.replace(/\/$/, "");
}

/** Checksums beside the signature: other stores often refuse or ignore what Amazon's has added over the years. */
function checksumsOf(settings: Settings, env: NodeJS.ProcessEnv, endpoint: string | undefined): boolean {
  if (settings.checksums !== undefined) return settings.checksums === "when-supported";
  const set = env["AWS_REQUEST_CHECKSUM_CALCULATION"]?.toLowerCase();
  if (set !== undefined && set !== "") return set === "when_supported";
  return endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

function badUrl(problem: string): DatasetError<"bad-input"> {
  return new DatasetError(
    "bad-input",
    { value: "s3://" },
    `Cannot use this s3:// URL as a remote: ${problem}`,
  );
}
