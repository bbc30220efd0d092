/** A request as S3 understands it: which operation, on which bucket and key. Path style only. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

export interface S3Request {
  /** S3's name of the operation: `GetObject`. */
  operation: string;
  method: string;
  bucket: string;
  key: string;
  /** The path as it was sent, before decoding. */
  rawPath: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  incoming: IncomingMessage;
}

export function parseRequest(incoming: IncomingMessage): S3Request {
  const [rawPath, rawQuery] = (incoming.url ?? "/").split(/\?(.*)/s) as [string, string | undefined];
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(rawPath) ?? [];
  const method = incoming.method ?? "GET";
  // A plus in S3's query strings is a plus, and a space is %20.
  const query = new URLSearchParams((rawQuery ?? "").replaceAll("+", "%2B"));
  const place = { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
  const operation = operationOf(method, place, query);
  return { operation, method, ...place, rawPath, query, headers: incoming.headers, incoming };
}

export function headerOf({ headers }: S3Request, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

function operationOf(
  method: string,
  { bucket, key }: { bucket: string; key: string },
  query: URLSearchParams,
): string {
  if (bucket === "") return "ListBuckets";
  return (key === "" ? bucketOperation(method, query) : objectOperation(method, query)) ?? "Unknown";
}

function bucketOperation(method: string, query: URLSearchParams): string | undefined {
  if (method === "GET" && query.has("uploads")) return "ListMultipartUploads";
  if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2";
  if (method === "GET" && query.has("location")) return "GetBucketLocation";
  if (method === "POST" && query.has("delete")) return "DeleteObjects";
  return { GET: "ListObjects", HEAD: "HeadBucket", PUT: "CreateBucket" }[method];
}

function objectOperation(method: string, query: URLSearchParams): string | undefined {
  if (query.has("uploadId"))
    return {
      GET: "ListParts",
      PUT: "UploadPart",
      POST: "CompleteMultipartUpload",
      DELETE: "AbortMultipartUpload",
    }[method];
  if (method === "POST" && query.has("uploads")) return "CreateMultipartUpload";
  return { GET: "GetObject", HEAD: "HeadObject", PUT: "PutObject", DELETE: "DeleteObject" }[method];
}
