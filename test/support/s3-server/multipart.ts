/**
 * Uploads in parts.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
import { createHash, randomUUID } from "node:crypto";

import { ALGORITHMS, type Algorithm, compositeOf } from "../object-server/checksums.js";
import { type Reply, empty } from "../object-server/reply.js";
import type { Pace } from "../object-server/server.js";
import { bytewise, discard } from "../object-server/stored.js";
import { receiveBody, receiveText } from "./body.js";
import { beginConditionalWrite } from "./conditions.js";
import { S3Error, invalid } from "./error.js";
import { maxKeys } from "./list.js";
import { checksumHeaders, keptHeaders, newObject, versionOf } from "./objects.js";
import { type S3Request, headerOf } from "./request.js";
import type { Bucket, Part, Store, Upload } from "./store.js";
import { elementsOf, textOf, xmlReply } from "./xml.js";

const MAX_PARTS = 10_000;
/** All parts but the last. */
const PART_MIN_BYTES = 5 * 1024 ** 2;

export function createUpload(request: S3Request, bucket: Bucket): Reply {
  const asked = headerOf(request, "x-amz-checksum-algorithm")?.toLowerCase();
  const algorithm = ALGORITHMS.find((name) => name === asked);
  if (asked !== undefined && !algorithm) throw invalid(`Checksum algorithm ${asked}`);
  const id = randomUUID();
  const { key } = request;
  const started = { headers: keptHeaders(request), algorithm, startedMs: Date.now() };
  bucket.uploads.set(id, { id, key, ...started, parts: new Map() });
  const headers = algorithm ? { "x-amz-checksum-algorithm": algorithm.toUpperCase() } : {};
  return xmlReply(
    "InitiateMultipartUploadResult",
    { Bucket: request.bucket, Key: key, UploadId: id },
    headers,
  );
}

export async function uploadPart(
  request: S3Request,
  bucket: Bucket,
  store: Store,
  pace: Pace,
): Promise<Reply> {
  const upload = findUpload(request, bucket);
  const number = Number(request.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS)
    throw invalid("Part number must be an integer between 1 and 10000, inclusive");
  const { file, sizeBytes, digests, algorithm } = await receiveBody(request, store.folder, pace);
  if (algorithm !== upload.algorithm) {
    discard([{ file, sizeBytes }]);
    throw invalid(`Checksum Type mismatch occurred, expected ${String(upload.algorithm)}`, "InvalidRequest");
  }
  const etag = `"${Buffer.from(digests.md5!, "base64").toString("hex")}"`;
  const replaced = upload.parts.get(number);
  if (replaced) discard([replaced]);
  if (!bucket.uploads.has(upload.id)) discard([{ file, sizeBytes }]);
  upload.parts.set(number, { number, file, sizeBytes, etag, modifiedMs: Date.now(), digests });
  const sums = algorithm ? { [`x-amz-checksum-${algorithm}`]: digests[algorithm]! } : {};
  return empty(200, { etag, ...sums });
}

export async function completeUpload(request: S3Request, bucket: Bucket, store: Store): Promise<Reply> {
  const write = beginConditionalWrite(request, bucket);
  const xml = await receiveText(request, store.folder);
  const upload = findUpload(request, bucket);
  const parts = namedParts(xml, upload);
  write.check();
  bucket.uploads.delete(upload.id);
  discard([...upload.parts.values()].filter((part) => !parts.includes(part)));
  const md5s = parts.map(({ digests }) => Buffer.from(digests.md5!, "base64"));
  const object = bucket.add({
    ...newObject(upload.key, upload.headers),
    segments: parts,
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    etag: `"${createHash("md5").update(Buffer.concat(md5s)).digest("hex")}-${parts.length}"`,
    checksums: upload.algorithm ? { [upload.algorithm]: compositeIn(upload.algorithm, parts) } : {},
    checksumType: "COMPOSITE",
  });
  const sums = Object.entries(checksumHeaders(object)).map(([name, value]) => [elementFor(name), value]);
  const place = { Bucket: request.bucket, Key: upload.key, ETag: object.etag };
  const result = { ...place, ...(Object.fromEntries(sums) as Record<string, string>) };
  return xmlReply("CompleteMultipartUploadResult", result, versionOf(bucket, object));
}

export function abortUpload(request: S3Request, bucket: Bucket): Reply {
  const upload = findUpload(request, bucket);
  bucket.uploads.delete(upload.id);
  discard(upload.parts.values());
  return empty(204);
}

export function listParts(request: S3Request, bucket: Bucket): Reply {
  const upload = findUpload(request, bucket);
  const after = Number(request.query.get("part-number-marker") ?? 0);
  const max = maxKeys(request.query, "max-parts");
  const rest = [...upload.parts.values()]
    .sort((a, b) => a.number - b.number)
    .filter(({ number }) => number > after);
  const page = rest.slice(0, max);
  return xmlReply("ListPartsResult", {
    Bucket: request.bucket,
    Key: upload.key,
    UploadId: upload.id,
    MaxParts: max,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number ?? after,
    IsTruncated: rest.length > page.length,
    ChecksumAlgorithm: upload.algorithm?.toUpperCase(),
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modifiedMs).toISOString(),
      ETag: part.etag,
      Size: part.sizeBytes,
      ...(upload.algorithm ? { [elementFor(upload.algorithm)]: part.digests[upload.algorithm]! } : {}),
    })),
  });
}

export function listUploads({ bucket: name, query }: S3Request, bucket: Bucket): Reply {
  const prefix = query.get("prefix") ?? "";
  const [keyMarker, idMarker] = [query.get("key-marker") ?? "", query.get("upload-id-marker") ?? ""];
  const max = maxKeys(query, "max-uploads");
  const isAfter = ({ key, id }: Upload) =>
    bytewise(key, keyMarker) > 0 || (key === keyMarker && idMarker !== "" && id > idMarker);
  const rest = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix) && isAfter(upload))
    .sort((a, b) => bytewise(a.key, b.key) || (a.id < b.id ? -1 : 1));
  const page = rest.slice(0, max);
  return xmlReply("ListMultipartUploadsResult", {
    Bucket: name,
    Prefix: prefix,
    MaxUploads: max,
    NextKeyMarker: page.at(-1)?.key,
    NextUploadIdMarker: page.at(-1)?.id,
    IsTruncated: rest.length > page.length,
    Upload: page.map(({ key, id, startedMs, algorithm }) => ({
      Key: key,
      UploadId: id,
      Initiated: new Date(startedMs).toISOString(),
      ChecksumAlgorithm: algorithm?.toUpperCase(),
    })),
  });
}

function findUpload({ key, query }: S3Request, bucket: Bucket): Upload {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "");
  if (upload?.key === key) return upload;
  throw new S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.");
}

/** The parts a client names to complete an upload, each checked as S3 checks it. */
function namedParts(xml: string, upload: Upload): Part[] {
  const named = elementsOf(xml, "Part").map((each) => ({
    number: Number(textOf(each, "PartNumber")),
    etag: textOf(each, "ETag") ?? "",
    checksum: upload.algorithm && textOf(each, elementFor(upload.algorithm)),
  }));
  if (named.length === 0) throw invalid("The XML you provided was not well-formed", "MalformedXML");
  if (named.some(({ number }, index) => index > 0 && number <= named[index - 1]!.number))
    throw invalid("The list of parts was not in ascending order.", "InvalidPartOrder");
  return named.map(({ number, etag, checksum }, index) => {
    const part = upload.parts.get(number);
    const isSame = part?.etag.replaceAll('"', "") === etag.replaceAll('"', "");
    if (!part || !isSame || (upload.algorithm && checksum !== part.digests[upload.algorithm]))
      throw invalid("One or more of the specified parts could not be found.", "InvalidPart");
    if (part.sizeBytes < PART_MIN_BYTES && index < named.length - 1)
      throw invalid(
        "Your proposed upload is smaller than the minimum allowed object size.",
        "EntityTooSmall",
      );
    return part;
  });
}

function compositeIn(algorithm: Algorithm, parts: readonly Part[]): string {
  const sums = parts.map(({ digests }) => digests[algorithm]!);
  return compositeOf(algorithm, sums);
}

/** `x-amz-checksum-sha256`, or `sha256`, as an element: `ChecksumSHA256`. */
function elementFor(header: string): string {
  const name = header.replace("x-amz-checksum-", "");
  return name === "type" ? "ChecksumType" : `Checksum${name.toUpperCase()}`;
}
