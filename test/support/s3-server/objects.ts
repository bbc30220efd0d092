/** Operations on one object, and the deletion of many. */
import type { Digests } from "../object-server/checksums.js";
import { type Reply, empty } from "../object-server/reply.js";
import type { Pace } from "../object-server/server.js";
import { discard } from "../object-server/stored.js";
import { receiveBody, receiveText } from "./body.js";
import { beginConditionalWrite, checkRead, rangeOf } from "./conditions.js";
import { S3Error, invalid, noSuchKey } from "./error.js";
import { type S3Request, headerOf } from "./request.js";
import type { Bucket, Store, StoredObject } from "./store.js";
import { elementsOf, textOf, xmlReply } from "./xml.js";

/** S3's bound of one PUT: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const PUT_MAX_BYTES = 5 * 1024 ** 3;

export function getObject(request: S3Request, bucket: Bucket): Reply {
  const object = findObject(request, bucket);
  checkRead(request, object);
  const range = rangeOf(request, object.sizeBytes);
  const { start, end } = range ?? { start: 0, end: object.sizeBytes };
  const headers = {
    ...headersOf(object),
    "content-length": String(end - start),
    // A checksum is of the whole object, so a range has none.
    ...(range
      ? { "content-range": `bytes ${start}-${end - 1}/${object.sizeBytes}` }
      : askedChecksums(request, object)),
  };
  const hasBody = request.method === "GET";
  return { status: range ? 206 : 200, headers, body: hasBody ? { object, start, end } : undefined };
}

export async function putObject(
  request: S3Request,
  bucket: Bucket,
  store: Store,
  pace: Pace,
): Promise<Reply> {
  if (headerOf(request, "x-amz-copy-source") !== undefined)
    throw new S3Error(501, "NotImplemented", "CopyObject");
  if (Number(headerOf(request, "content-length") ?? 0) > PUT_MAX_BYTES)
    throw invalid("Your proposed upload exceeds the maximum allowed size", "EntityTooLarge");
  const write = beginConditionalWrite(request, bucket);
  const { file, sizeBytes, digests } = await receiveBody(request, store.folder, pace);
  const segments = [{ file, sizeBytes }];
  try {
    write.check();
  } catch (error) {
    discard(segments);
    throw error;
  }
  const { md5, ...checksums } = digests;
  const object = bucket.add({
    ...newObject(request.key, keptHeaders(request)),
    segments,
    sizeBytes,
    etag: `"${Buffer.from(md5!, "base64").toString("hex")}"`,
    checksums,
  });
  return empty(200, { etag: object.etag, ...versionOf(bucket, object), ...checksumHeaders(object) });
}

export function deleteObject(request: S3Request, bucket: Bucket): Reply {
  remove(bucket, request.key, request.query.get("versionId") ?? undefined);
  return empty(204);
}

export async function deleteObjects(request: S3Request, bucket: Bucket, store: Store): Promise<Reply> {
  const sent = ["content-md5", "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-sha256"];
  if (!sent.some((name) => headerOf(request, name) !== undefined))
    throw invalid("Missing required header for this request: Content-MD5", "InvalidRequest");
  const xml = await receiveText(request, store.folder);
  const objects = elementsOf(xml, "Object").map((each) => ({
    Key: textOf(each, "Key") ?? "",
    VersionId: textOf(each, "VersionId"),
  }));
  if (objects.length > 1000) throw invalid("More than 1000 keys", "MalformedXML");
  for (const { Key, VersionId } of objects) remove(bucket, Key, VersionId);
  return xmlReply("DeleteResult", { Deleted: textOf(xml, "Quiet") === "true" ? [] : objects });
}

/** What every new object has; the rest is for who adds it. */
export function newObject(key: string, headers: StoredObject["headers"]) {
  const fixed = { checksumType: "FULL_OBJECT" as const, isDeleteMarker: false };
  return { key, headers, modifiedMs: Date.now(), ...fixed };
}

/** Headers of a write that reads give back. */
export function keptHeaders(request: S3Request): Record<string, string> {
  const kept = /^(x-amz-meta-.*|content-type|content-encoding|cache-control|content-disposition)$/;
  const entries = Object.keys(request.headers)
    .filter((name) => kept.test(name))
    .map((name) => [name, headerOf(request, name)!] as const)
    // The frames are taken off, so they are no encoding of what is stored.
    .map(([name, value]) => [name, value.replace(/(^|, *)aws-chunked/, "")] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

export function versionOf(bucket: Bucket, { versionId }: StoredObject): Record<string, string> {
  return bucket.isVersioned ? { "x-amz-version-id": versionId } : {};
}

export function checksumHeaders({ checksums, checksumType }: StoredObject): Record<string, string> {
  const entries = Object.entries(checksums as Required<Digests>);
  if (entries.length === 0) return {};
  const headers = Object.fromEntries(entries.map(([name, value]) => [`x-amz-checksum-${name}`, value]));
  return { ...headers, "x-amz-checksum-type": checksumType };
}

function findObject({ key, query }: S3Request, bucket: Bucket): StoredObject {
  const versionId = query.get("versionId");
  const object = versionId === null ? bucket.current(key) : bucket.version(key, versionId);
  if (object && !object.isDeleteMarker) return object;
  if (versionId === null) throw noSuchKey(key);
  throw new S3Error(404, "NoSuchVersion", "The specified version does not exist.", { Key: key });
}

function askedChecksums(request: S3Request, object: StoredObject): Record<string, string> {
  const asks = headerOf(request, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  return asks ? checksumHeaders(object) : {};
}

function headersOf(object: StoredObject): Record<string, string> {
  return {
    "content-type": "binary/octet-stream",
    ...object.headers,
    "accept-ranges": "bytes",
    etag: object.etag,
    "last-modified": new Date(object.modifiedMs).toUTCString(),
    ...(object.versionId === "null" ? {} : { "x-amz-version-id": object.versionId }),
  };
}

function remove(bucket: Bucket, key: string, versionId: string | undefined): void {
  if (!bucket.isVersioned || versionId !== undefined) {
    bucket.remove(key, versionId);
    return;
  }
  const marker = {
    ...newObject(key, {}),
    isDeleteMarker: true,
    segments: [],
    sizeBytes: 0,
    etag: "",
    checksums: {},
  };
  bucket.add(marker);
  bucket.deletions.set(key, (bucket.deletions.get(key) ?? 0) + 1);
}
