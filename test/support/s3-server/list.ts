/** Listings: of objects in both versions of the protocol, page by page, with common prefixes. */
import { type Page as KeyPage, pageOf as cutPage } from "../object-server/page.js";
import type { Reply } from "../object-server/reply.js";
import { invalid } from "./error.js";
import type { S3Request } from "./request.js";
import type { Bucket, StoredObject } from "./store.js";
import { type Xml, xmlReply } from "./xml.js";

const PAGE = 1000;

interface Page extends KeyPage {
  objects: StoredObject[];
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
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const page = cutPage(bucket.keys(), { prefix, delimiter, after, max: maxKeys(query) });
  return { ...page, objects: page.keys.map((key) => bucket.current(key)!) };
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
