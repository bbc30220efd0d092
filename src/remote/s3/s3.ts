/**
 * Objects in S3, and in stores that speak its protocol. Which requests, `read.ts`, `put.ts` and `upload.ts` say;
 * patience is for `with-retry.ts`.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
import { MiB } from "../../units.js";
import { checkSignal } from "../cancel.js";
import { withHedging } from "../hedging.js";
import { checkKey, checkPrefix, isKey } from "../key.js";
import { ListingGuard } from "../listing-guard.js";
import type { ObjectInfo, Remote, RequestOptions } from "../remote.js";
import { type S3Location, canonicalS3Url, parseS3Url } from "./location.js";
import { createBytes, putBytes } from "./put.js";
import { at, lookUp, readRange, readWholeObject } from "./read.js";
import { type S3Requests, s3Requests } from "./requests.js";
import { uploader } from "./upload.js";

const READ_WHOLE_MAX_BYTES = 256 * MiB;

/** Opens `s3://bucket/prefix?…`; nothing is sent or loaded before the first request. @throws as `parseS3Url` does */
export function openS3(url: URL): Remote {
  return withHedging(s3Remote(parseS3Url(url), canonicalS3Url(url)));
}

/**
 * The bare adapter.
 *
 * @param url What messages call it.
 * @param options.silenceMs Longest wait of a request for anything of its answer. Default 15 s.
 */
export function s3Remote(location: S3Location, url: string, options: { silenceMs?: number } = {}): Remote {
  const requests = s3Requests(location, url, options.silenceMs);
  const upload = uploader(requests);

  return {
    url,
    read: async (key, start, end, { signal } = {}) => readRange(requests, checkKey(key), start, end, signal),
    readWhole: async (key, { signal, maxBytes = READ_WHOLE_MAX_BYTES } = {}) =>
      readWholeObject(requests, checkKey(key), maxBytes, signal),
    stat: async (key, { signal } = {}) => lookUp(requests, checkKey(key), signal),
    async put(key, body, options) {
      if (body instanceof Uint8Array) await putBytes(requests, checkKey(key), body, options);
      else await upload(checkKey(key), body, options);
    },
    create: async (key, body, options) => createBytes(requests, checkKey(key), body, options),
    list: (prefix, options = {}) => listObjects(requests, checkPrefix(prefix), options),
    async delete(key, { signal } = {}) {
      await requests.make({ attempt: "delete", key: checkKey(key), signal }, (s3, deadline) =>
        s3.deleteObject(at(requests, key), { abortSignal: deadline.signal }),
      );
    },
    close: () => requests.close(),
  };
}

/** Objects whose names are no keys were put there by others, and are not ours. */
async function* listObjects(
  requests: S3Requests,
  prefix: string,
  { signal, after }: RequestOptions & { after?: string },
): AsyncGenerator<ObjectInfo> {
  const base = requests.location.prefix;
  const start = after ? { StartAfter: base + after } : {};
  const guard = new ListingGuard(requests.url, prefix);
  let next: { ContinuationToken?: string } = {};
  do {
    const page = await requests.make({ attempt: "list", key: prefix, signal }, (s3, deadline) =>
      s3.listObjectsV2(
        { Bucket: requests.location.bucket, Prefix: base + prefix, ...start, ...next },
        { abortSignal: deadline.signal },
      ),
    );
    for (const { Key = "", Size = 0, LastModified } of page.Contents ?? []) {
      checkSignal(signal, `listing of "${prefix}" in ${requests.url}`);
      const key = guard.key(Key.slice(base.length));
      if (isKey(key)) yield { key, sizeBytes: Size, modifiedMs: LastModified?.getTime() ?? 0 };
    }
    const token = guard.page(page.NextContinuationToken);
    next = token === undefined ? {} : { ContinuationToken: token };
  } while (next.ContinuationToken !== undefined);
}
