/** Listings: of objects in both versions of the protocol, page by page, with common prefixes. */
import { invalid } from "./error.js";
import { type Reply, xmlReply } from "./reply.js";
import type { S3Request } from "./request.js";
import { type Bucket, type StoredObject, bytewise } from "./store.js";
import type { Xml } from "./xml.js";

const PAGE = 1000;

interface Page {
  objects: StoredObject[];
  prefixes: string[];
  /** Where the next page begins: after this key, and after all keys that begin with it when it is a prefix. */
  next: string | undefined;
}

export function listObjectsV2({ bucket: name, query }: S3Request, bucket: Bucket): Reply {
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after") ?? "";
  const after = token === null ? startAfter : Buffer.from(token, "base64url").toString();
  const page = pageOf(bucket, query, after);
  return xmlReply("ListBucketResult", {
    ...shown(name, query, page),
    KeyCount: page.objects.length + page.prefixes.length,
    StartAfter: query.get("start-after") ?? undefined,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: page.next === undefined ? undefined : Buffer.from(page.next).toString("base64url"),
  });
}

export function listObjects({ bucket: name, query }: S3Request, bucket: Bucket): Reply {
  const page = pageOf(bucket, query, query.get("marker") ?? "");
  // The first version of the protocol tells where to go on only where prefixes may have been left out.
  const next = query.has("delimiter") ? page.next : undefined;
  return xmlReply("ListBucketResult", {
    ...shown(name, query, page),
    Marker: query.get("marker") ?? "",
    NextMarker: next === undefined ? undefined : encoder(query)(next),
  });
}

function pageOf(bucket: Bucket, query: URLSearchParams, after: string): Page {
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keys = bucket.keys();
  const page: Page = { objects: [], prefixes: [], next: undefined };
  const max = maxKeys(query);
  let last = "";
  for (let at = firstFrom(keys, after > prefix ? after : prefix); at < keys.length; at++) {
    const key = keys[at]!;
    if (bytewise(key, after) <= 0) continue;
    if (!key.startsWith(prefix)) break;
    const common = commonPrefix(key, prefix, delimiter);
    if (common !== undefined && (common === page.prefixes.at(-1) || isPassed(common, after))) continue;
    if (page.objects.length + page.prefixes.length >= max) return max === 0 ? page : { ...page, next: last };
    if (common === undefined) page.objects.push(bucket.current(key)!);
    else page.prefixes.push(common);
    last = common ?? key;
  }
  return page;
}

/** A listing that goes on after a common prefix leaves out what lies below it. */
function isPassed(common: string, after: string): boolean {
  return after.startsWith(common);
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "") return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

/** Index of the first key that is not before `wanted`. */
function firstFrom(keys: readonly string[], wanted: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bytewise(keys[middle]!, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function maxKeys(query: URLSearchParams, name = "max-keys"): number {
  const text = query.get(name) ?? String(PAGE);
  if (!/^\d{1,9}$/.test(text)) throw invalid(`Provided ${name} not an integer or within integer range`);
  return Math.min(PAGE, Number(text));
}

function shown(
  name: string,
  query: URLSearchParams,
  { objects, prefixes, next }: Page,
): { [name: string]: Xml } {
  const encode = encoder(query);
  return {
    Name: name,
    Prefix: encode(query.get("prefix") ?? ""),
    Delimiter: query.has("delimiter") ? encode(query.get("delimiter")!) : undefined,
    MaxKeys: maxKeys(query),
    EncodingType: query.get("encoding-type") ?? undefined,
    IsTruncated: next !== undefined,
    Contents: objects.map((object) => ({
      Key: encode(object.key),
      LastModified: new Date(object.modifiedMs).toISOString(),
      ETag: object.etag,
      Size: object.sizeBytes,
      StorageClass: "STANDARD",
    })),
    CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

function encoder(query: URLSearchParams): (text: string) => string {
  if (query.get("encoding-type") !== "url") return (text) => text;
  return (text) => encodeURIComponent(text).replaceAll("%2F", "/");
}
