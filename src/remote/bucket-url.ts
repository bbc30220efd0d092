/**
 * What the URLs of all buckets have in common: a place, a prefix of keys, and settings, which are a closed list. No
 * value of a setting is repeated in a message: it may be a secret that somebody took for a setting.
 */
import { DatasetError } from "../errors.js";
import { isKey } from "./key.js";

/** The scheme with its slashes: `s3://`. */
export type Scheme = `${string}://`;

/** The prefix that a path names: empty, or with a slash at its end. @throws {DatasetError} `bad-input` */
export function prefixOf(scheme: Scheme, path: string): string {
  const prefix = decoded(scheme, path).replace(/^\/+|\/+$/g, "");
  if (prefix !== "" && !isKey(prefix))
    throw badUrl(scheme, `its prefix ${JSON.stringify(prefix)} can be no key`);
  return prefix && `${prefix}/`;
}

/** The settings that a URL has, each as `check` gives it. @throws {DatasetError} `bad-input` for an unknown one */
export function settingsOf<Setting extends string>(
  scheme: Scheme,
  { searchParams, hash }: URL,
  known: readonly Setting[],
  check: (name: Setting, value: string) => string,
): Partial<Record<Setting, string>> {
  if (hash) throw badUrl(scheme, 'it has a "#"');
  const settings: Partial<Record<Setting, string>> = {};
  for (const [name, value] of searchParams) {
    const setting = known.find((each) => each === name);
    if (setting === undefined)
      throw badUrl(scheme, `it has the unknown setting "${name}"; there are ${known.join(", ")}`);
    settings[setting] = check(setting, value);
  }
  return settings;
}

/** A setting whose value has the form it must have. @throws {DatasetError} `bad-input` */
export function expectOf(
  scheme: Scheme,
  name: string,
  value: string,
  pattern: RegExp,
  wanted: string,
): string {
  if (pattern.test(value)) return value;
  throw badUrl(scheme, `its setting "${name}" is not ${wanted}`);
}

/** The URL of a server, with no slash at its end. @throws {DatasetError} `bad-input` */
export function checkEndpoint(scheme: Scheme, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.search || url.hash)
    throw badUrl(scheme, "its endpoint is no URL such as https://host:9000");
  if (url.username || url.password)
    throw badUrl(scheme, "its endpoint holds credentials, which belong in the environment");
  return url.href.replace(/\/$/, "");
}

/** The one URL of all that say the same; its settings stand in the order of `known`. */
export function writeUrl<Setting extends string>(
  scheme: Scheme,
  place: string,
  prefix: string,
  settings: Partial<Record<Setting, string>>,
  known: readonly Setting[],
): string {
  const path = prefix.split("/").map(encodeURIComponent).join("/").replace(/\/$/, "");
  const given = known.filter((name) => settings[name] !== undefined);
  const pairs = given.map((name): [string, string] => [name, settings[name]!]);
  const query = new URLSearchParams(pairs).toString();
  return `${scheme}${place}${path && `/${path}`}${query && `?${query}`}`;
}

export function badUrl(scheme: Scheme, problem: string): DatasetError<"bad-input"> {
  const message = `Cannot use this ${scheme} URL as a remote: ${problem}`;
  return new DatasetError("bad-input", { value: scheme }, message);
}

function decoded(scheme: Scheme, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badUrl(scheme, 'its path has a "%" that begins no character');
  }
}
