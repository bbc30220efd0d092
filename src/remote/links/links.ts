/**
 * All external files behind one interface: each URL goes to the store of its scheme, which is made when it is first
 * needed. Failures that may heal are tried again here, reads that are late are asked twice, as of remotes.
 */
import { isDatasetError } from "../../errors.js";
import { withHedging } from "../hedging.js";
import { DEFAULT_POLICY, type Policy, type RetryOptions, patiently } from "../patience.js";
import type { RequestOptions } from "../remote.js";
import { azureLinks } from "./azure-links.js";
import { fileLinks } from "./file-links.js";
import { gcsLinks } from "./gcs-links.js";
import { httpLinks } from "./http-links.js";
import { type LinkScheme, schemeOf } from "./link-url.js";
import { s3Links } from "./s3-links.js";
import { type LinkSource, type LinkStore, type SourceInfo, changed } from "./source.js";

export interface Links extends LinkStore {
  /** Whether a source is what was pinned. @throws as `look` does */
  check(source: LinkSource, options?: RequestOptions): Promise<"same" | "changed" | "missing">;
}

const OPENERS: Readonly<Record<LinkScheme, (policy: Policy) => LinkStore>> = {
  file: fileLinks,
  http: () => httpLinks(),
  https: () => httpLinks(),
  s3: s3Links,
  gs: gcsLinks,
  azure: azureLinks,
};

/** Opens nothing yet. */
export function openLinks(options: RetryOptions = {}): Links {
  const policy = { ...DEFAULT_POLICY, ...options };
  const stores = new Map<LinkScheme, LinkStore>();

  return { look, read, list, check, close };

  function look(
    url: string,
    options: RequestOptions & { pin?: string } = {},
  ): Promise<SourceInfo | undefined> {
    const call = { what: `look at "${url}"`, signal: options.signal };
    return patiently(policy, call, ({ signal }) => storeOf(url).look(url, { ...options, signal }));
  }

  function read(
    source: LinkSource,
    start: number,
    end: number,
    { signal }: RequestOptions = {},
  ): Promise<Uint8Array> {
    const { url } = source;
    const call = { what: `read of "${url}"`, signal, movesBytes: end - start };
    return patiently(policy, call, (deadline) => {
      const once = () => storeOf(url).read(source, start, end, { signal: deadline.signal });
      return once().catch((error: unknown) => {
        // Servers behind one name may differ for a moment: what seems to be changed is looked at twice.
        if (isDatasetError(error, "source-changed")) return once();
        throw isDatasetError(error, "object-missing") ? changed(url, "it is gone") : error;
      });
    });
  }

  function list(folder: string, options?: RequestOptions): ReturnType<LinkStore["list"]> {
    return storeOf(folder).list(folder, options);
  }

  async function check(
    source: LinkSource,
    options: RequestOptions = {},
  ): Promise<"same" | "changed" | "missing"> {
    const { url, pin, sizeBytes } = source;
    const now = await look(url, { ...options, pin });
    if (!now) return "missing";
    return now.sizeBytes === sizeBytes && (pin === "" || now.pins.includes(pin)) ? "same" : "changed";
  }

  async function close(): Promise<void> {
    await Promise.all([...stores.values()].map((store) => store.close()));
  }

  function storeOf(url: string): LinkStore {
    const scheme = schemeOf(url);
    const known = stores.get(scheme);
    if (known) return known;
    const store = withHedging(OPENERS[scheme](policy));
    stores.set(scheme, store);
    return store;
  }
}
