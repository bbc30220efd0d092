/** Conditions on writes and reads, and the ranges of reads. */
import { S3Error, noSuchKey, preconditionFailed } from "./error.js";
import { type S3Request, headerOf } from "./request.js";
import type { Bucket, StoredObject } from "./store.js";

/**
 * Remembers how things stand when a conditional write begins; `check` is to be called, and the object added, in one
 * turn of the event loop once its bytes are there.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function beginConditionalWrite(request: S3Request, bucket: Bucket): { check(): void } {
  const { key } = request;
  const ifMatch = headerOf(request, "if-match");
  const ifNoneMatch = headerOf(request, "if-none-match");
  if (ifNoneMatch !== undefined && ifNoneMatch !== "*")
    throw new S3Error(501, "NotImplemented", "If-None-Match takes only *");
  const deletions = bucket.deletions.get(key);
  const check = () => {
    if (ifMatch === undefined && ifNoneMatch === undefined) return;
    if (bucket.deletions.get(key) !== deletions)
      throw new S3Error(409, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation"); // prettier-ignore
    const current = bucket.current(key);
    if (ifNoneMatch !== undefined && current) throw preconditionFailed("If-None-Match");
    if (ifMatch === undefined) return;
    if (!current) throw noSuchKey(key);
    if (!names(ifMatch, current.etag)) throw preconditionFailed("If-Match");
  };
  return { check };
}

/** @throws {S3Error} 412 or 304 when a read is not to be answered with this object */
export function checkRead(request: S3Request, object: StoredObject): void {
  const ifMatch = headerOf(request, "if-match");
  if (ifMatch !== undefined && !names(ifMatch, object.etag)) throw preconditionFailed("If-Match");
  const ifNoneMatch = headerOf(request, "if-none-match");
  if (ifNoneMatch !== undefined && names(ifNoneMatch, object.etag)) throw new S3Error(304, "NotModified");
}

/** The range a GET asks for; undefined for all. @throws {S3Error} InvalidRange */
export function rangeOf(request: S3Request, sizeBytes: number): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(headerOf(request, "range") ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  const start = first === "" ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  if (start < end) return { start, end };
  throw new S3Error(
    416,
    "InvalidRange",
    "The requested range is not satisfiable",
    { ActualObjectSize: String(sizeBytes) },
    { "content-range": `bytes */${sizeBytes}` },
  );
}

function names(condition: string, etag: string): boolean {
  const bare = (text: string) => text.trim().replace(/^"|"$/g, "");
  return condition.trim() === "*" || condition.split(",").some((each) => bare(each) === bare(etag));
}
