/**
 * Objects in Google Cloud Storage. Which requests, `read.ts`, `put.ts` and `upload.ts` say; patience is for
 * `with-retry.ts`.
 */
import { isDatasetError } from "../../errors.js";
import { MiB } from "../../units.js";
import { checkSignal } from "../cancel.js";
import { discard, textOf } from "./client.js";
import { type GcsLocation, canonicalGcsUrl, parseGcsUrl } from "./location.js";
import { createBytes, putBytes } from "./put.js";
import { type GcsObject, infoOf, lookUp, readRange, readWholeObject } from "./read.js";
import { type GcsRequests, gcsRequests, objectPath, objectsPath } from "./requests.js";
import { uploader } from "./upload.js";
import { withHedging } from "../hedging.js";
import { checkKey, checkPrefix, isKey } from "../key.js";
import { ListingGuard } from "../listing-guard.js";
import type { ObjectInfo, ObjectKey, Remote, RequestOptions } from "../remote.js";

const READ_WHOLE_MAX_BYTES = 256 * MiB;

/** Opens `gs://bucket/prefix?…`; nothing is sent or loaded before the first request. @throws as `parseGcsUrl` does */
export function openGcs(url: URL): Remote {
  return withHedging(gcsRemote(parseGcsUrl(url), canonicalGcsUrl(url)));
}

/**
 * The bare adapter.
 *
 * @param url What messages call it.
 * @param options.silenceMs Longest wait of a request for anything of its answer. Default 15 s.
 */
export function gcsRemote(location: GcsLocation, url: string, options: { silenceMs?: number } = {}): Remote {
  const requests = gcsRequests(location, url, options.silenceMs);
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
    delete: async (key, { signal } = {}) => deleteObject(requests, checkKey(key), signal),
    close: () => requests.close(),
  };
}

async function deleteObject(
  requests: GcsRequests,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await requests.make({ attempt: "delete", key, signal }, async (gcs, deadline) => {
      const request = { method: "DELETE" as const, path: objectPath(requests, key) };
      discard(await gcs.send({ ...request, signal: deadline.signal }));
    });
  } catch (error) {
    if (!isDatasetError(error, "object-missing")) throw error;
  }
}

interface Page {
  items?: GcsObject[];
  nextPageToken?: string;
}

/** @throws for what is no page, which is a failure of the store like any other */
function pageIn(text: string): Page {
  const page = JSON.parse(text) as Page | null;
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  const isObject = (item: GcsObject | null) =>
    item !== null && typeof item === "object" && [item.name, item.size, item.updated].every(isText);
  const items: unknown = page?.items ?? [];
  if (page && Array.isArray(items) && items.every(isObject) && isText(page.nextPageToken)) return page;
  throw new Error("the answer is no list of objects");
}

/** Objects whose names are no keys were put there by others, and are not ours. */
async function* listObjects(
  requests: GcsRequests,
  prefix: string,
  { signal, after }: RequestOptions & { after?: string },
): AsyncGenerator<ObjectInfo> {
  const base = requests.location.prefix;
  const query = {
    prefix: base + prefix,
    fields: "nextPageToken,items(name,size,updated)",
    ...(after ? { startOffset: base + after } : {}), // The key itself comes too.
  };
  const guard = new ListingGuard(requests.url, prefix);
  let next: { pageToken?: string } = {};
  do {
    const page = await requests.make({ attempt: "list", key: prefix, signal }, async (gcs, deadline) => {
      const path = objectsPath(requests, { ...query, ...next });
      const answer = await gcs.send({ method: "GET", path, signal: deadline.signal });
      return pageIn(await textOf(answer.body));
    });
    for (const { name = "", ...rest } of page.items ?? []) {
      checkSignal(signal, `listing of "${prefix}" in ${requests.url}`);
      const key = guard.key(name.slice(base.length));
      if (isKey(key) && key !== after) yield { key, ...infoOf(rest) };
    }
    const token = guard.page(page.nextPageToken);
    next = token === undefined ? {} : { pageToken: token };
  } while (next.pageToken !== undefined);
}
