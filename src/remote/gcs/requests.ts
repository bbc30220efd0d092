/** Requests to Google Cloud Storage, and where things lie in its API. */
import { type GcsClient, makeGcsClient } from "./client.js";
import { explainGcs } from "./failure.js";
import type { GcsLocation } from "./location.js";
import type { ObjectKey } from "../remote.js";
import { type Requests, requestsTo } from "../requests.js";

export interface GcsRequests extends Requests<GcsClient> {
  readonly location: GcsLocation;
}

/** @param silenceMs Longest wait for anything of an answer. Default 15 s. */
export function gcsRequests(location: GcsLocation, url: string, silenceMs?: number): GcsRequests {
  const requests = requestsTo({
    url,
    silenceMs,
    open: () => makeGcsClient(location),
    close: (gcs) => gcs.close(),
    explain: (error, attempted) => explainGcs(error, { ...attempted, bucket: location.bucket }),
  });
  return { ...requests, location };
}

/** Where the objects of a bucket are listed. */
export function objectsPath({ location }: GcsRequests, query: Record<string, string>): string {
  return `/storage/v1/b/${encodeURIComponent(location.bucket)}/o?${new URLSearchParams(query).toString()}`;
}

export function objectPath(
  { location }: GcsRequests,
  key: ObjectKey,
  query: Record<string, string> = {},
): string {
  const { bucket, prefix } = location;
  const path = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(prefix + key)}`;
  return `${path}?${new URLSearchParams(query).toString()}`;
}

/** Where objects are written. */
export function uploadPath({ location }: GcsRequests, query: Record<string, string>): string {
  return `/upload/storage/v1/b/${encodeURIComponent(location.bucket)}/o?${new URLSearchParams(query).toString()}`;
}
