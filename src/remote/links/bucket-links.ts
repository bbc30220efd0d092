/**
 * External files in buckets. What all stores have in common stands here: which bucket and key a URL names, pages of
 * listings, and what an answer means for a pin. The requests are each store's own.
 */
import { isDatasetError } from "../../errors.js";
import { bytesOfText } from "../../paths.js";
import { type Policy, patiently } from "../patience.js";
import { decodedText } from "./link-url.js";
import { type LinkStore, type ListedSource, type SourceInfo, changed, pinned } from "./source.js";

type Signal = AbortSignal | undefined;

/** What a store says of an object. */
export type ObjectState = Omit<SourceInfo, "url">;

export interface KeyedState extends ObjectState {
  key: string;
}

/** A page of a listing. */
export interface Page {
  objects: KeyedState[];
  /** Where the next begins; undefined after the last. */
  token: string | undefined;
}

/** A kind of store. `Requests` are to one bucket. */
export interface BucketKind<Requests extends { close(): Promise<void> }> {
  /** How many components of a URL's path belong to the bucket. */
  depth: 0 | 1;
  /** What of a pin names a state that the store may keep beside the current one, as `version`. */
  keeps: string | undefined;
  /** Opens nothing yet. @throws {DatasetError} `bad-input` */
  open: (place: URL) => Requests;
  /** Of the current state, or of the one kept under `kept`. Undefined when there is none. */
  look: (
    requests: Requests,
    key: string,
    kept: string | undefined,
    signal: Signal,
  ) => Promise<ObjectState | undefined>;
  /** Undefined for a pin of a kind that it does not know. */
  read: (
    requests: Requests,
    key: string,
    pin: string,
  ) => ((start: number, end: number, signal: Signal) => Promise<Uint8Array>) | undefined;
  page: (requests: Requests, prefix: string, token: string | undefined, signal: Signal) => Promise<Page>;
}

export function bucketLinks<Requests extends { close(): Promise<void> }>(
  kind: BucketKind<Requests>,
  policy: Policy,
): LinkStore {
  const opened = new Map<string, Requests>();
  const at = (url: string) => {
    const { place, key } = splitUrl(url, kind.depth);
    const requests = opened.get(place.href) ?? kind.open(place);
    opened.set(place.href, requests);
    return { requests, place, key };
  };

  return {
    async look(url, { signal, pin = "" } = {}) {
      const { requests, key } = at(url);
      if (key === "" || key.endsWith("/")) return undefined;
      const kept = kind.keeps === undefined ? undefined : pinned(pin, kind.keeps);
      const found = kept === undefined ? undefined : await kind.look(requests, key, kept, signal);
      const state = found ?? (await kind.look(requests, key, undefined, signal));
      return state && { url, ...state };
    },
    async read({ url, pin }, start, end, { signal } = {}) {
      const { requests, key } = at(url);
      const read = kind.read(requests, key, pin);
      if (!read) throw changed(url, "this varve does not know its kind of pin");
      return read(start, end, signal).catch((error: unknown) => {
        // The condition was a pin, so what "exists already" is another state.
        throw isDatasetError(error, "object-exists")
          ? changed(url, "another state of it is there now")
          : error;
      });
    },
    list(folder, { signal } = {}) {
      const { requests, place, key } = at(folder);
      return list(kind, policy, requests, { folder, place, prefix: key }, signal);
    },
    async close() {
      await Promise.all([...opened.values()].map((requests) => requests.close()));
    },
  };
}

async function* list<Requests extends { close(): Promise<void> }>(
  kind: BucketKind<Requests>,
  policy: Policy,
  requests: Requests,
  { folder, place, prefix }: { folder: string; place: URL; prefix: string },
  signal: Signal,
): AsyncGenerator<ListedSource> {
  let token: string | undefined;
  do {
    const call = { what: `listing of "${folder}"`, signal };
    const page = await patiently(policy, call, (deadline) =>
      kind.page(requests, prefix, token, deadline.signal),
    );
    for (const { key, ...state } of page.objects) {
      // A name that ends with a slash is how consoles show a folder.
      if (!key.endsWith("/"))
        yield { ...state, url: urlOf(place, key), path: bytesOfText(key.slice(prefix.length)) };
    }
    token = page.token;
  } while (token !== undefined);
}

/** What `look` gives, but undefined for what is not there. */
export async function unlessMissing<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

function splitUrl(url: string, depth: number): { place: URL; key: string } {
  const { protocol, host, pathname, search } = new URL(url);
  const parts = pathname.split("/").slice(1);
  const place = [`${protocol}//${host}`, ...parts.slice(0, depth)].join("/");
  return { place: new URL(place + search), key: parts.slice(depth).map(decodedText).join("/") };
}

function urlOf({ protocol, host, pathname, search }: URL, key: string): string {
  const path = key.split("/").map(encodeURIComponent).join("/");
  return `${protocol}//${host}${pathname.replace(/\/$/, "")}/${path}${search}`;
}
