/** The options of every command that sends content, and the bar that shows how far it has come. */
import type { Argv } from "yargs";
import { checkPackBytes } from "../content/pack.js";
import type { UploadOptions, UploadProgress } from "../dataset/upload.js";
import { DatasetError } from "../errors.js";
import { parseSizeBytes } from "../units.js";
import { startProgress } from "./progress.js";

export function uploadOptions<T>(yargs: Argv<T>) {
  return workersOption(yargs)
    .option("pack-size", {
      type: "string",
      requiresArg: true,
      describe: "Most that one object of small files holds, 2MiB to 256MiB (default: 32MiB)",
    })
    .option("preview", {
      type: "boolean",
      describe:
        "Keep first rows of tables and samples of media for varve preview (--no-preview) [VARVE_PREVIEW]",
    })
    .option("retries", {
      type: "number",
      requiresArg: true,
      describe: "How often a request that fails is made again (default: 4)",
    })
    .option("compression", {
      choices: ["auto", "none"] as const,
      requiresArg: true,
      describe: "auto: where it saves a tenth (the default); none: never",
    });
}

export function workersOption<T>(yargs: Argv<T>) {
  return yargs.option("max-workers", {
    type: "number",
    requiresArg: true,
    coerce: workerCount,
    describe: "Threads that read and hash (default: one a core, at most 8)",
  });
}

/** @throws {DatasetError} `bad-input` */
export function uploadOptionsOf(args: {
  maxWorkers?: number | undefined;
  packSize?: string | undefined;
  compression?: "auto" | "none" | undefined;
  preview?: boolean | undefined;
  retries?: number | undefined;
}): UploadOptions {
  const { maxWorkers, packSize, compression, preview, retries } = args;
  return {
    maxWorkers,
    packBytes: packSize === undefined ? undefined : checkPackBytes(parseSizeBytes(packSize)),
    compression,
    preview,
    retries,
  };
}

/** For commands that go on with a draft. */
export function remoteOption<T>(yargs: Argv<T>) {
  return yargs.option("remote", {
    alias: "storage",
    type: "string",
    requiresArg: true,
    describe: "Where it goes, as long as nothing of it was sent (default: where it was made for)",
  });
}

/** A progress bar for an upload; nothing where standard error is no terminal. */
export function uploadProgress(label = "Uploading"): {
  onProgress: (progress: UploadProgress) => void;
  stop: () => void;
} {
  const bar = startProgress({ label, of: "bytes" });
  let done = 0;
  return {
    onProgress({ bytes, totalBytes }) {
      bar.setTotal(Math.max(totalBytes, bytes));
      bar.advance(bytes - done);
      done = bytes;
    },
    stop: () => {
      bar.stop();
    },
  };
}

/** @throws {DatasetError} `bad-input` */
function workerCount(count: number | undefined): number | undefined {
  if (count === undefined || (Number.isInteger(count) && count >= 1)) return count;
  const message = "Cannot take --max-workers: it must be a whole number of at least 1";
  throw new DatasetError("bad-input", { value: String(count) }, message);
}
