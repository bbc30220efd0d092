/**
 * Lists objects in Azure, which knows no "after this key": a listing begins at its start, or at a mark that an earlier page
 * of it ended with. The marks of late are remembered, so a listing that broke off goes on at its page; another that begins
 * after a key skips what comes before.
 * Source: https://learn.microsoft.com/en-us/rest/api/storageservices/list-blobs
 */
import type { ContainerListBlobFlatSegmentResponse } from "@azure/storage-blob";

import { DatasetError } from "../../errors.js";
import type { AzureRequests } from "./requests.js";
import { checkSignal } from "../cancel.js";
import { isKey } from "../key.js";
import { ListingGuard } from "../listing-guard.js";
import type { ObjectInfo, ObjectKey, RequestOptions } from "../remote.js";

/** More than one process lists at once. */
const MARKS_KEPT = 64;

/** The page that begins behind `key`. */
interface Mark {
  prefix: string;
  key: ObjectKey;
  token: string;
}

interface Page {
  objects: ObjectInfo[];
  /** Where the next page begins; undefined after the last. */
  token: string | undefined;
}

interface Wanted {
  token: string | undefined;
  pageObjects: number | undefined;
  signal: AbortSignal | undefined;
}

export type List = (
  prefix: string,
  options: RequestOptions & { after?: ObjectKey },
) => AsyncGenerator<ObjectInfo>;

/**
 * Listings of one remote.
 *
 * @param pageObjects Objects in a page. Default: as many as Azure gives, 5,000.
 */
export function lister(requests: AzureRequests, pageObjects: number | undefined): List {
  const marks: Mark[] = [];

  /** @throws {DatasetError} `unsupported` in an account that lists in another order */
  return async function* (prefix, { signal, after = "" }) {
    let token = marks.findLast((mark) => mark.prefix === prefix && mark.key <= after)?.token;
    const guard = new ListingGuard(requests.url, prefix);
    let last = "";
    do {
      const page = await pageOf(requests, prefix, { token, pageObjects, signal });
      for (const info of page.objects) {
        checkSignal(signal, `listing of "${prefix}" in ${requests.url}`);
        if (info.key < last) throw unordered(requests);
        last = info.key;
        if (last > after) yield info;
      }
      if (page.objects.length > 0) guard.key(last);
      token = guard.page(page.token);
      if (token !== undefined) remember({ prefix, key: last, token });
    } while (token !== undefined);
  };

  function remember(mark: Mark): void {
    marks.push(mark);
    if (marks.length > MARKS_KEPT) marks.shift();
  }
}

/** Objects whose names are no keys were put there by others, and are not ours. */
async function pageOf(
  requests: AzureRequests,
  prefix: string,
  { token, pageObjects, signal }: Wanted,
): Promise<Page> {
  const base = requests.location.prefix;
  const asked = { attempt: "list", key: prefix, signal };
  const { segment, continuationToken } = await requests.make(asked, async (container, deadline) => {
    const options = { prefix: base + prefix, abortSignal: deadline.signal };
    const page = {
      ...(token !== undefined && { continuationToken: token }),
      ...(pageObjects !== undefined && { maxPageSize: pageObjects }),
    };
    const next = await container.listBlobsFlat(options).byPage(page).next();
    return next.value as ContainerListBlobFlatSegmentResponse; // There is always a page, be it empty.
  });
  const objects = segment.blobItems.map(({ name, properties }) => ({
    key: name.slice(base.length),
    sizeBytes: properties.contentLength ?? 0,
    modifiedMs: properties.lastModified.getTime(),
  }));
  return { objects: objects.filter(({ key }) => isKey(key)), token: continuationToken || undefined };
}

function unordered({ url }: AzureRequests): DatasetError<"unsupported"> {
  const message = `Cannot use ${url} as a remote: it does not list in the order of names; take an account without a hierarchical namespace`;
  return new DatasetError("unsupported", { what: "hierarchical namespaces" }, message);
}
