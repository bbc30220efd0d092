/**
 * External files: sources of bytes that lie where others keep them, named by URL and read as they were when they were
 * added. What each scheme can do stands beside this; `links.ts` puts them together.
 */
import { DatasetError } from "../../errors.js";
import type { RequestOptions } from "../remote.js";

/** A source, and what proves that it is still what it was. */
export interface LinkSource {
  /** Without credentials, in the one form that `link-url.ts` gives it. */
  url: string;
  /** `etag:…`, `modified:…`, `version:…`, `generation:…` or `stat:…`; empty for one that was taken without. */
  pin: string;
  sizeBytes: number;
}

/** What a source is at the moment. */
export interface SourceInfo {
  url: string;
  sizeBytes: number;
  /** What proves this state, the best first; empty where the store says nothing that would. */
  pins: readonly string[];
  /** Unix ms, where the store tells. */
  modifiedMs: number | undefined;
}

/** A source found in a folder. */
export interface ListedSource extends SourceInfo {
  /** Below the folder, a byte string of components joined by `/`, as the store has it: not checked. */
  path: string;
}

/** The sources of one scheme. */
export interface LinkStore {
  /**
   * What is there, or undefined when nothing is. With `pin`, of a store that keeps versions: the one that is pinned.
   * @throws {DatasetError} `remote-failed`, `remote-refused`, `unsupported` for one that cannot be read by range
   */
  look(url: string, options?: RequestOptions & { pin?: string }): Promise<SourceInfo | undefined>;

  /**
   * The bytes `[start, end)` of the source as it was pinned.
   * @throws {DatasetError} `source-changed`, `object-missing`, `remote-short`, `remote-failed`, `remote-refused`
   */
  read(source: LinkSource, start: number, end: number, options?: RequestOptions): Promise<Uint8Array>;

  /** Every source below a folder, at any depth; none where there is none. @throws {DatasetError} `not-found` where the scheme has no folders */
  list(folder: string, options?: RequestOptions): AsyncIterable<ListedSource>;

  /** Twice is the same as once. */
  close(): Promise<void>;
}

/** The rest of a pin of this kind: of `etag:"ab"` it is `"ab"`. */
export function pinned(pin: string, kind: string): string | undefined {
  return pin.startsWith(`${kind}:`) ? pin.slice(kind.length + 1) : undefined;
}

/** The failure for a source that is another than was pinned. */
export function changed(url: string, problem: string): DatasetError<"source-changed"> {
  const message = `Cannot read "${url}" as it was added: ${problem}`;
  return new DatasetError("source-changed", { path: url }, message);
}

/** Checks the size that an answer tells of the whole source. @throws {DatasetError} `source-changed` */
export function expectSize({ url, sizeBytes }: LinkSource, nowBytes: number | undefined): void {
  if (nowBytes === undefined || nowBytes === sizeBytes) return;
  throw changed(url, `it has ${nowBytes} bytes now, and had ${sizeBytes}`);
}
