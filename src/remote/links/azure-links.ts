/** External files in Azure Blob Storage: pinned by ETag. */
import { canonicalAzureUrl, parseAzureUrl } from "../azure/location.js";
import { at, readRange } from "../azure/read.js";
import { type AzureRequests, azureRequests } from "../azure/requests.js";
import type { Policy } from "../patience.js";
import { type ObjectState, type Page, bucketLinks, unlessMissing } from "./bucket-links.js";
import { type LinkStore, pinned } from "./source.js";

type Signal = AbortSignal | undefined;

export function azureLinks(policy: Policy): LinkStore {
  const open = (place: URL) => azureRequests(parseAzureUrl(place), canonicalAzureUrl(place));
  return bucketLinks({ depth: 1, keeps: undefined, open, look, read, page }, policy);
}

function look(
  requests: AzureRequests,
  key: string,
  _: string | undefined,
  signal: Signal,
): Promise<ObjectState | undefined> {
  const looked = requests.make({ attempt: "look at", key, signal }, async (container, deadline) => {
    const blob = container.getBlobClient(at(requests, key));
    return stateOf(await blob.getProperties({ abortSignal: deadline.signal }));
  });
  return unlessMissing(looked);
}

interface Properties {
  contentLength?: number;
  etag?: string;
  lastModified?: Date;
}

/** A listing gives an ETag without the quotes that all else gives and takes it with. */
function stateOf({ contentLength = 0, etag, lastModified }: Properties): ObjectState {
  const pins = etag === undefined ? [] : [`etag:"${etag.replaceAll('"', "")}"`];
  return { sizeBytes: contentLength, pins, modifiedMs: lastModified?.getTime() };
}

function read(requests: AzureRequests, key: string, pin: string) {
  const ifMatch = pinned(pin, "etag");
  if (pin !== "" && ifMatch === undefined) return undefined;
  const conditions = ifMatch === undefined ? {} : { ifMatch };
  return (start: number, end: number, signal: Signal) =>
    readRange(requests, key, start, end, signal, conditions);
}

async function page(
  requests: AzureRequests,
  prefix: string,
  token: string | undefined,
  signal: Signal,
): Promise<Page> {
  return requests.make({ attempt: "list", key: prefix, signal }, async (container, deadline) => {
    const start = token === undefined ? {} : { continuationToken: token };
    const pages = container.listBlobsFlat({ prefix, abortSignal: deadline.signal }).byPage(start);
    const next = await pages.next();
    if (next.done) return { objects: [], token: undefined };
    const { segment, continuationToken } = next.value;
    const objects = segment.blobItems.map(({ name, properties }) => ({ ...stateOf(properties), key: name }));
    return { objects, token: continuationToken || undefined };
  });
}
