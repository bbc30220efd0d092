/** Operations on objects that are there, and writes in one request. */
import { type Reply, empty } from "../object-server/reply.js";
import { pageOf } from "../object-server/page.js";
import { discard } from "../object-server/stored.js";
import { addObject, parseJson, receiveAll, store } from "./body.js";
import { GcsError, invalid, notFound } from "./error.js";
import { type GcsRequest, headerOf } from "./request.js";
import type { Operation } from "./operations.js";
import { jsonReply, resourceOf } from "./resource.js";
import { type Bucket, type Metadata, type StoredObject, checkConditions } from "./store.js";

/** Source: https://cloud.google.com/storage/docs/json_api/v1/objects/list */
const PAGE = 1000;

export const getObject: Operation = (request, bucket) =>
  jsonReply(resourceOf(request.bucket, findObject(request, bucket)), request.query);

export const downloadObject: Operation = (request, bucket) => {
  const object = findObject(request, bucket);
  const range = rangeOf(request, object.sizeBytes);
  const { start, end } = range ?? { start: 0, end: object.sizeBytes };
  const headers = {
    "content-type": object.said.contentType ?? "application/octet-stream",
    "content-length": String(end - start),
    "x-goog-generation": String(object.generation),
    "x-goog-stored-content-length": String(object.sizeBytes),
    "x-goog-hash": `crc32c=${object.crc32c},md5=${object.md5}`, // Of the whole object, also with a range.
    ...(range && { "content-range": `bytes ${start}-${end - 1}/${object.sizeBytes}` }),
  };
  return { status: range ? 206 : 200, headers, body: { object, start, end } };
};

export const deleteObject: Operation = (request, bucket) => {
  findObject(request, bucket);
  bucket.remove(request.key);
  return empty(204);
};

export const listObjects: Operation = ({ bucket: name, query }, bucket) => {
  const token = query.get("pageToken");
  const [from, to] = [query.get("startOffset") ?? "", query.get("endOffset") ?? "\u{10ffff}"];
  const page = pageOf(
    bucket.keys().filter((key) => key >= from && key < to),
    {
      prefix: query.get("prefix") ?? "",
      delimiter: query.get("delimiter") ?? "",
      after: token === null ? "" : Buffer.from(token, "base64url").toString(),
      max: Math.min(PAGE, Number(query.get("maxResults") ?? PAGE)),
    },
  );
  const items = page.keys.map((key) => resourceOf(name, bucket.get(key)!));
  const listed = {
    kind: "storage#objects",
    // What is empty is left out.
    ...(items.length > 0 && { items }),
    ...(page.prefixes.length > 0 && { prefixes: page.prefixes }),
    ...(page.next !== undefined && { nextPageToken: Buffer.from(page.next).toString("base64url") }),
  };
  return jsonReply(listed, query);
};

/** Metadata and bytes in one body of two parts. */
export const putMultipart: Operation = async (request, bucket, { folder }, pace) => {
  const boundary = /^multipart\/related; *boundary="?([^";]+)"?$/.exec(
    headerOf(request, "content-type") ?? "",
  )?.[1];
  if (boundary === undefined) throw invalid("Missing boundary");
  const [json, bytes] = partsOf(await receiveAll(request, pace), boundary);
  return write(request, bucket, folder, parseJson(json), bytes);
};

/** Bytes alone. */
export const putMedia: Operation = async (request, bucket, { folder }, pace) =>
  write(request, bucket, folder, {}, await receiveAll(request, pace));

async function write(
  request: GcsRequest,
  bucket: Bucket,
  folder: string,
  metadata: Metadata,
  bytes: Buffer,
): Promise<Reply> {
  const { query } = request;
  const name = query.get("name") ?? metadata.name;
  const said = { ...metadata, ...(name !== undefined && { name }) };
  const segment = await store(folder, bytes);
  const sent = { md5: said.md5Hash, crc32c: said.crc32c };
  try {
    const check = () => checkConditions(query, bucket.get(said.name ?? ""));
    const object = await addObject(bucket, said, segment, sent, check);
    return jsonReply(resourceOf(request.bucket, object), query);
  } catch (error) {
    discard([segment]);
    throw error;
  }
}

/** The two parts of a body, without their headers. Source: RFC 2387 */
function partsOf(body: Buffer, boundary: string): [Buffer, Buffer] {
  const line = Buffer.from(`\r\n--${boundary}`);
  const framed = Buffer.concat([Buffer.from("\r\n"), body]);
  const parts: Buffer[] = [];
  for (let at = framed.indexOf(line); at >= 0;) {
    const next = framed.indexOf(line, at + line.length);
    const start = framed.indexOf("\r\n\r\n", at + line.length) + 4;
    if (next >= 0 && start >= 4 && start <= next) parts.push(framed.subarray(start, next));
    else if (framed.subarray(at + line.length, at + line.length + 2).toString() !== "--")
      throw invalid("Malformed multipart body.");
    at = next;
  }
  const [json, bytes, ...more] = parts;
  if (!json || !bytes || more.length > 0) throw invalid("A multipart body must have two parts.");
  return [json, bytes];
}

function findObject({ bucket: name, key, query }: GcsRequest, bucket: Bucket): StoredObject {
  const object = bucket.get(key);
  const generation = query.get("generation");
  if (!object || (generation !== null && generation !== String(object.generation)))
    throw notFound(`No such object: ${name}/${key}`);
  checkConditions(query, object);
  return object;
}

/** The range a download asks for; undefined for all. */
function rangeOf(request: GcsRequest, sizeBytes: number): { start: number; end: number } | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(headerOf(request, "range") ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (start < end) return { start, end };
  const headers = { "content-range": `bytes */${sizeBytes}` };
  throw new GcsError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", headers);
}
