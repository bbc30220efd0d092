/**
 * Objects in Azure Blob Storage: block blobs of one container. Which requests, `read.ts`, `put.ts`,
 * `upload.ts` and `list.ts` say; patience is for `with-retry.ts`.
 * Source: https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-rest-api
 */
import { isDatasetError } from "../../errors.js";
import { MiB } from "../../units.js";
import { lister } from "./list.js";
import { type AzureLocation, canonicalAzureUrl, parseAzureUrl } from "./location.js";
import { createBytes, putBytes } from "./put.js";
import { at, lookUp, readRange, readWholeObject } from "./read.js";
import { type AzureRequests, azureRequests } from "./requests.js";
import { uploader } from "./upload.js";
import { withHedging } from "../hedging.js";
import { checkKey, checkPrefix } from "../key.js";
import type { ObjectKey, Remote } from "../remote.js";

const READ_WHOLE_MAX_BYTES = 256 * MiB;

/** Opens `azure://account.blob.core.windows.net/container/prefix`; nothing is sent or loaded before the first request. @throws as `parseAzureUrl` does */
export function openAzure(url: URL): Remote {
  return withHedging(azureRemote(parseAzureUrl(url), canonicalAzureUrl(url)));
}

export interface AzureOptions {
  silenceMs?: number;
  pageObjects?: number;
}

/**
 * The bare adapter.
 *
 * @param url What messages call it.
 * @param options.silenceMs Longest wait of a request for anything of its answer. Default 15 s.
 * @param options.pageObjects Objects in a page of a listing. Default 5,000.
 */
export function azureRemote(location: AzureLocation, url: string, options: AzureOptions = {}): Remote {
  const requests = azureRequests(location, url, options.silenceMs);
  const upload = uploader(requests);
  const list = lister(requests, options.pageObjects);

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
    list: (prefix, options = {}) => list(checkPrefix(prefix), options),
    delete: async (key, { signal } = {}) => remove(requests, checkKey(key), signal),
    close: () => requests.close(),
  };
}

async function remove(
  requests: AzureRequests,
  key: ObjectKey,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await requests.make({ attempt: "delete", key, signal }, (container, deadline) =>
      container.deleteBlob(at(requests, key), { deleteSnapshots: "include", abortSignal: deadline.signal }),
    );
  } catch (error) {
    if (!isDatasetError(error, "object-missing")) throw error;
  }
}
