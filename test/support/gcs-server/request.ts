/** A request as the JSON API understands it: which operation, on which bucket and object. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

export interface GcsRequest {
  /** `objects.get`, as Google has it; a download is `objects.download`, a write by how it is made. */
  operation: string;
  bucket: string;
  /** Of an upload only once its metadata has come. */
  key: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  incoming: IncomingMessage;
}

export function parseRequest(incoming: IncomingMessage): GcsRequest {
  const url = new URL(incoming.url ?? "/", "http://server");
  const { pathname, searchParams: query } = url;
  const [, upload, bucket = "", key = ""] =
    /^(\/upload|\/download)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(pathname) ?? [];
  const operation = operationOf(incoming.method ?? "GET", pathname, { upload, bucket, key }, query);
  const place = { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
  return { operation, ...place, query, headers: incoming.headers, incoming };
}

export function headerOf({ headers }: GcsRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

function operationOf(
  method: string,
  path: string,
  { upload, bucket, key }: { upload: string | undefined; bucket: string; key: string },
  query: URLSearchParams,
): string {
  if (path === "/token") return "token";
  if (bucket === "") return "unknown";
  if (upload === "/upload") return uploadOperation(method, query);
  if (key === "") return method === "GET" ? "objects.list" : "unknown";
  if (method === "GET") return query.get("alt") === "media" ? "objects.download" : "objects.get";
  return method === "DELETE" ? "objects.delete" : "unknown";
}

function uploadOperation(method: string, query: URLSearchParams): string {
  const type = query.get("uploadType");
  if (query.has("upload_id")) return { PUT: "upload.piece", DELETE: "upload.cancel" }[method] ?? "unknown";
  if (method !== "POST") return "unknown";
  return (
    { multipart: "upload.multipart", resumable: "upload.begin", media: "upload.media" }[type ?? ""] ??
    "unknown"
  );
}
