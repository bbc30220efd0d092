/** External files in S3: pinned by version where the bucket keeps versions, else by ETag. */
import type { HeadObjectCommandOutput, ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";

import type { Policy } from "../patience.js";
import { canonicalS3Url, parseS3Url } from "../s3/location.js";
import { at, readRange } from "../s3/read.js";
import { type S3Requests, s3Requests } from "../s3/requests.js";
import { type KeyedState, type ObjectState, type Page, bucketLinks, unlessMissing } from "./bucket-links.js";
import { type LinkStore, pinned } from "./source.js";

type Signal = AbortSignal | undefined;

export function s3Links(policy: Policy): LinkStore {
  const open = (place: URL) => s3Requests(parseS3Url(place), canonicalS3Url(place));
  return bucketLinks({ depth: 0, keeps: "version", open, look, read, page }, policy);
}

function look(
  requests: S3Requests,
  key: string,
  version: string | undefined,
  signal: Signal,
): Promise<ObjectState | undefined> {
  const head = requests.make({ attempt: "look at", key, signal }, async (s3, deadline) => {
    const input = { ...at(requests, key), ...(version !== undefined && { VersionId: version }) };
    return stateOf(await s3.headObject(input, { abortSignal: deadline.signal }));
  });
  return unlessMissing(head);
}

function stateOf({ ContentLength, ETag, VersionId, LastModified }: HeadObjectCommandOutput): ObjectState {
  const isKept = VersionId !== undefined && VersionId !== "null"; // "null" is what a later write replaces.
  const pins = [...(isKept ? [`version:${VersionId}`] : []), ...(ETag === undefined ? [] : [`etag:${ETag}`])];
  return { sizeBytes: ContentLength ?? 0, pins, modifiedMs: LastModified?.getTime() };
}

function read(requests: S3Requests, key: string, pin: string) {
  const version = pinned(pin, "version");
  const etag = pinned(pin, "etag");
  if (pin !== "" && version === undefined && etag === undefined) return undefined;
  const condition = {
    ...(version !== undefined && { VersionId: version }),
    ...(etag !== undefined && { IfMatch: etag }),
  };
  return (start: number, end: number, signal: Signal) =>
    readRange(requests, key, start, end, signal, condition);
}

async function page(
  requests: S3Requests,
  prefix: string,
  token: string | undefined,
  signal: Signal,
): Promise<Page> {
  const answer = await requests.make({ attempt: "list", key: prefix, signal }, (s3, deadline) => {
    const next = token === undefined ? {} : { ContinuationToken: token };
    const input = { Bucket: requests.location.bucket, Prefix: prefix, ...next };
    return s3.listObjectsV2(input, { abortSignal: deadline.signal });
  });
  return {
    objects: await withVersions(requests, objectsOf(answer), signal),
    token: answer.NextContinuationToken,
  };
}

function objectsOf({ Contents = [] }: ListObjectsV2CommandOutput): KeyedState[] {
  return Contents.map(({ Key = "", Size = 0, ETag, LastModified }) => ({
    key: Key,
    sizeBytes: Size,
    pins: ETag === undefined ? [] : [`etag:${ETag}`],
    modifiedMs: LastModified?.getTime(),
  }));
}

/** Listings name no versions: where the first object of a page has one, each is looked at. */
async function withVersions(
  requests: S3Requests,
  objects: KeyedState[],
  signal: Signal,
): Promise<KeyedState[]> {
  const first = objects[0] && (await look(requests, objects[0].key, undefined, signal));
  if (!first?.pins[0]?.startsWith("version:")) return objects;
  const looked = await Promise.all(objects.map(({ key }) => look(requests, key, undefined, signal)));
  return looked.flatMap((state, index) => (state ? { ...state, key: objects[index]!.key } : []));
}
