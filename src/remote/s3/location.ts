/**
 * Where a remote in S3 lies, from its URL and the environment: `s3://bucket/prefix?endpoint=…&region=…`. A URL holds no
 * credentials: it is stored in catalogs and records and shown in messages, so what it may say is a closed list.
 */
import { DatasetError } from "../../errors.js";
import {
  type Scheme,
  badUrl,
  checkEndpoint,
  expectOf,
  prefixOf,
  settingsOf,
  writeUrl,
} from "../bucket-url.js";

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

const SCHEME: Scheme = "s3://";
const EXAMPLE = "s3://bucket/prefix?endpoint=https://host&region=eu-central-1";
/** Where no region is set but an endpoint is, its store mostly knows one region and calls it this. */
const FALLBACK_REGION = "us-east-1";

/**
 * Reads a URL.
 * @throws {DatasetError} `bad-input` for a setting that is unknown or has another value than it may;
 *   `unsupported` for a kind of bucket that lists in no order
 */
export function parseS3Url(url: URL, env: NodeJS.ProcessEnv = process.env): S3Location {
  const settings = settingsOf(SCHEME, url, SETTINGS, checkSetting);
  const endpoint = settings.endpoint ?? env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  const region = settings.region ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  return {
    ...placeOf(url),
    endpoint: endpoint === undefined ? undefined : checkEndpoint(SCHEME, endpoint),
    region: region ?? (endpoint === undefined ? undefined : FALLBACK_REGION),
    pathStyle: settings.pathStyle === undefined ? endpoint !== undefined : settings.pathStyle === "1",
    checksums: checksumsOf(settings, env, endpoint),
    anonymous: settings.anonymous === "1",
  };
}

/** The one URL of all that say the same. What the environment adds is no part of it. @throws as `parseS3Url` does */
export function canonicalS3Url(url: URL): string {
  const settings = settingsOf(SCHEME, url, SETTINGS, checkSetting);
  const { bucket, prefix } = placeOf(url);
  return writeUrl(SCHEME, bucket, prefix, settings, SETTINGS);
}

function placeOf(url: URL): { bucket: string; prefix: string } {
  const bucket = url.hostname;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket) || url.port)
    throw badUrl(SCHEME, `it names no bucket; write ${EXAMPLE}`);
  if (bucket.endsWith("--x-s3")) {
    const message = `Cannot use the bucket "${bucket}" as a remote: a directory bucket lists in no order; take a general purpose one`;
    throw new DatasetError("unsupported", { what: "directory buckets" }, message);
  }
  return { bucket, prefix: prefixOf(SCHEME, url.pathname) };
}

function checkSetting(name: Setting, value: string): string {
  if (name === "endpoint") return checkEndpoint(SCHEME, value);
  if (name === "region")
    return expectOf(SCHEME, name, value, /^[a-z0-9-]{1,64}$/i, "a region such as eu-central-1");
  if (name === "checksums")
    return expectOf(SCHEME, name, value, /^when-(required|supported)$/, "when-required or when-supported");
  return expectOf(SCHEME, name, value, /^[01]$/, "0 or 1");
}

/** Checksums beside the signature: other stores often refuse or ignore what Amazon's has added over the years. */
function checksumsOf(settings: Settings, env: NodeJS.ProcessEnv, endpoint: string | undefined): boolean {
  if (settings.checksums !== undefined) return settings.checksums === "when-supported";
  const set = env["AWS_REQUEST_CHECKSUM_CALCULATION"]?.toLowerCase();
  if (set !== undefined && set !== "") return set === "when_supported";
  return endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}
