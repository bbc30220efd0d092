/** What the workers are asked and what they answer: the one place both threads agree on. Plain data only. */
import type { FailureCode } from "../errors.js";
import type { Codec, Sha256 } from "./chunk.js";
import type { Holes } from "./source.js";

/** One chunk of a content, before anybody knows where it will lie. */
export interface Cut {
  hash: Sha256;
  sizeBytes: number;
}

/** A chunk at a place of a file or a buffer. */
export interface Run extends Cut {
  at: number;
}

/** Content read from end to end. */
export interface Digest {
  sizeBytes: number;
  sha256: Sha256;
  /** Absent when the content is one chunk, which then has its hash, or empty. */
  cuts?: Cut[] | undefined;
}

export interface FileDigest extends Digest {
  mtimeSec: number;
  mtimeNsec: number;
  holes?: Holes | undefined;
  /** Where the answer's bytes hold the content; absent when it must be read again. */
  at?: number | undefined;
}

/** A `DatasetError` on its way between threads. */
export interface SourceFailure {
  code: Extract<FailureCode, "source-changed" | "source-unreadable">;
  path: string;
  message: string;
}

export type FileResult = { digest: FileDigest } | { failure: SourceFailure };

/** Runs to encode, in columns, since there may be many small ones. */
export interface RunColumns {
  starts: number[];
  sizes: number[];
  /** What each run must still have; absent when it cannot have changed. */
  hashes?: Sha256[] | undefined;
}

/** Stored bytes of runs, end to end in `bytes`. */
export interface EncodedRuns {
  bytes: Uint8Array<ArrayBuffer>;
  sizes: number[];
  codecs: Codec[];
}

/** Buffers are transferred, not copied: who sends one cannot use it any more. */
export interface Jobs {
  /** Reads files, and returns the bytes of those that fit into `roomBytes`. */
  read: {
    ask: { paths: string[]; roomBytes: number };
    answer: { files: FileResult[]; bytes: Uint8Array<ArrayBuffer> };
  };
  /** Reads files for their hash alone. */
  hash: { ask: { paths: string[] }; answer: { files: FileResult[] } };
  /** Cuts and hashes contents that lie end to end in `bytes`. */
  digest: {
    ask: { bytes: Uint8Array<ArrayBuffer>; sizes: number[] };
    answer: { digests: Digest[]; bytes: Uint8Array<ArrayBuffer> };
  };
  /** One piece of a content too large for memory; the last one is answered with the digest. */
  scan: {
    ask: { bytes: Uint8Array<ArrayBuffer>; isFirst: boolean; isLast: boolean };
    answer: { digest: Digest | undefined };
  };
  /** Encodes runs of `bytes`; without `compress` they stay as they are. */
  encode: {
    ask: { bytes: Uint8Array<ArrayBuffer>; runs: RunColumns; compress: boolean };
    answer: EncodedRuns | "changed";
  };
  /** The same for runs of a file, which are read again. */
  reread: { ask: { path: string; runs: RunColumns; compress: boolean }; answer: EncodedRuns | "changed" };
  /** The hash of the first `usedBytes` bytes. */
  name: {
    ask: { bytes: Uint8Array<ArrayBuffer>; usedBytes: number };
    answer: { sha256: Sha256; bytes: Uint8Array<ArrayBuffer> };
  };
}
