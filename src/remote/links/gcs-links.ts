/** External files in Google Cloud Storage: pinned by generation, which a bucket with versions keeps when it is replaced. */
import { textOf } from "../gcs/client.js";
import { canonicalGcsUrl, parseGcsUrl } from "../gcs/location.js";
import { type GcsObject, infoOf, readRange } from "../gcs/read.js";
import { type GcsRequests, gcsRequests, objectPath, objectsPath } from "../gcs/requests.js";
import type { Policy } from "../patience.js";
import { type ObjectState, type Page, bucketLinks, unlessMissing } from "./bucket-links.js";
import { type LinkStore, pinned } from "./source.js";

type Signal = AbortSignal | undefined;
type Generated = GcsObject & { generation?: string };

export function gcsLinks(policy: Policy): LinkStore {
  const open = (place: URL) => gcsRequests(parseGcsUrl(place), canonicalGcsUrl(place));
  return bucketLinks({ depth: 0, keeps: "generation", open, look, read, page }, policy);
}

function look(
  requests: GcsRequests,
  key: string,
  generation: string | undefined,
  signal: Signal,
): Promise<ObjectState | undefined> {
  const looked = requests.make({ attempt: "look at", key, signal }, async (gcs, deadline) => {
    const query = { fields: "size,updated,generation", ...(generation !== undefined && { generation }) };
    const path = objectPath(requests, key, query);
    const answer = await gcs.send({ method: "GET", path, signal: deadline.signal });
    return stateOf(JSON.parse(await textOf(answer.body)) as Generated);
  });
  return unlessMissing(looked);
}

function stateOf(object: Generated): ObjectState {
  const { generation } = object;
  return { ...infoOf(object), pins: generation === undefined ? [] : [`generation:${generation}`] };
}

function read(requests: GcsRequests, key: string, pin: string) {
  const generation = pinned(pin, "generation");
  if (pin !== "" && generation === undefined) return undefined;
  const query: Record<string, string> = generation === undefined ? {} : { generation };
  return (start: number, end: number, signal: Signal) => readRange(requests, key, start, end, signal, query);
}

async function page(
  requests: GcsRequests,
  prefix: string,
  token: string | undefined,
  signal: Signal,
): Promise<Page> {
  return requests.make({ attempt: "list", key: prefix, signal }, async (gcs, deadline) => {
    const next = token === undefined ? {} : { pageToken: token };
    const fields = "nextPageToken,items(name,size,updated,generation)";
    const path = objectsPath(requests, { prefix, fields, ...next });
    const answer = await gcs.send({ method: "GET", path, signal: deadline.signal });
    const { items = [], nextPageToken } = JSON.parse(await textOf(answer.body)) as {
      items?: Generated[];
      nextPageToken?: string;
    };
    return {
      objects: items.map((item) => ({ ...stateOf(item), key: item.name ?? "" })),
      token: nextPageToken,
    };
  });
}
