/**
 * Sends what a draft has staged: reads each pending file, sends the bytes its lineage does not hold yet, and writes
 * hash and chunks into the staging row. A killed upload goes on where it stopped, since rows settle as files do.
 */
import type { Chunk, RemoteId, Sha256 } from "../content/chunk.js";
import { inBursts } from "../content/in-bursts.js";
import {
  type ContentReader,
  type ContentSource,
  type StoredContent,
  storeContent,
} from "../content/store.js";
import { DatasetError } from "../errors.js";
import type { Entry, FileEntry } from "../manifest/entry.js";
import { textOf } from "../paths.js";
import type { ObjectKey, Remote } from "../remote/remote.js";
import type { DraftTree } from "./draft-tree.js";
import { effectOf } from "./effect.js";
import type { OptionNames } from "./known-options.js";
import { Candidates, type PreviewLimits, previewLimits } from "./reports/candidates.js";
import { candidatesOf, noteCandidates } from "./reports/previews.js";
import { Effect, type PendingFile } from "./staging.js";
import type { Stamped, Stamps } from "./stamps.js";

export interface UploadOptions {
  /** Threads that read, hash and compress. Default: one a core, at most 8. */
  maxWorkers?: number | undefined;
  /** Most a pack of several chunks holds, 2 to 256 MiB. Default 32 MiB. */
  packBytes?: number | undefined;
  /** Whether the first tables and media are shown by `preview`, and how many. Default: as `VARVE_PREVIEW` says, else yes. */
  preview?: boolean | PreviewLimits | undefined;
  /** `auto`, the default: each chunk where it saves a tenth. */
  compression?: "auto" | "none" | undefined;
  /** How often each request that sends content is made again after a failure that may heal. Default 4. */
  retries?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** The names of `UploadOptions`. */
export const SEND_OPTIONS: OptionNames<UploadOptions> = {
  maxWorkers: true,
  packBytes: true,
  preview: true,
  compression: true,
  retries: true,
  signal: true,
  onProgress: true,
};

export interface UploadProgress {
  files: number;
  totalFiles: number;
  bytes: number;
  totalBytes: number;
  sentBytes: number;
}

export interface UploadTarget {
  remote: Remote;
  remoteId: RemoteId;
  /** The chunks of these hashes that the draft's ancestors hold. */
  known: (hashes: Sha256[]) => Promise<Map<Sha256, Chunk>>;
  /** Packs that may be deleted any moment: they are sent though they are there. */
  distrusted: ReadonlySet<ObjectKey>;
  /** Opens the content of a file of an overlay. */
  openOverlaid: (ino: number) => Promise<ContentReader>;
  /** Opens a file that lies in another remote. */
  openStored: (file: FileEntry) => ContentReader;
}

export interface UploadResult {
  files: number;
  contentBytesSent: number;
}

type Pending = PendingFile & { entry: FileEntry };

/** Rows settled in one transaction. Files come with their pack, so a crash sends again what was under way, and no more. */
const SETTLE_FILES = 512;

/** Uploads every pending file. Costs the reading of them all; sends what is new. */
export async function uploadPending(
  tree: DraftTree,
  stamps: Stamps,
  target: UploadTarget,
  options: UploadOptions = {},
): Promise<UploadResult> {
  const { pending: totalFiles, pendingBytes: totalBytes } = tree.staging.counts();
  const { remote, remoteId, known, distrusted } = target;
  const { maxWorkers: workers, packBytes, compression, signal, onProgress } = options;
  let sentBytes = 0;
  const startedMs = Date.now();
  const limits = previewLimits(options.preview);
  const candidates = limits && new Candidates(candidatesOf({ tree }), limits);
  const stored = storeContent(sourcesOf(tree, target, candidates), {
    remote,
    remoteId,
    known,
    distrusted,
    workers,
    packBytes,
    compression,
    signal,
    onSent: (bytes) => void (sentBytes += bytes),
    onProgress: onProgress && ((progress) => onProgress({ ...progress, totalFiles, totalBytes })),
  });
  for await (const files of inBursts(stored, SETTLE_FILES)) await settle(tree, stamps, files, startedMs);
  if (candidates && candidates.found.length > 0) noteCandidates({ tree }, candidates.found);
  return { files: totalFiles, contentBytesSent: sentBytes };
}

function* sourcesOf(
  tree: DraftTree,
  target: UploadTarget,
  candidates: Candidates | undefined,
): Iterable<ContentSource<Pending>> {
  for (const file of tree.staging.pending()) {
    candidates?.note(file);
    yield { id: file, sizeBytes: file.sizeBytes, from: originOf(file, target) };
  }
}

function originOf({ source, entry }: Pending, target: UploadTarget): ContentSource<Pending>["from"] {
  if (source.kind === "file") return { path: source.path };
  if (source.kind === "overlay") return { open: () => target.openOverlaid(source.ino) };
  const { sha256, chunks } = source;
  return { open: () => Promise.resolve(target.openStored({ ...entry, sha256, chunks })) };
}

async function settle(
  tree: DraftTree,
  stamps: Stamps,
  files: readonly StoredContent<Pending>[],
  startedMs: number,
): Promise<void> {
  const before = await Promise.all(files.map(({ id }) => tree.inBase(id.path)));
  tree.staging.transaction(() => files.forEach((file, index) => settleOne(tree, file, before[index])));
  stamps.remember(files.flatMap(stampedOf), startedMs);
}

/** The row of an uploaded file: with its content, or none at all if the tree has just this file already. */
function settleOne(tree: DraftTree, file: StoredContent<Pending>, before: Entry | undefined): void {
  const { sizeBytes, sha256, chunks, holes } = file;
  requireSame(file);
  const { mtimeSec = file.id.entry.mtimeSec, mtimeNsec = file.id.entry.mtimeNsec } = file;
  const entry: FileEntry = {
    ...file.id.entry,
    mtimeSec,
    mtimeNsec,
    sizeBytes,
    sha256,
    chunks,
    ...(holes && { holes }),
  };
  const effect = effectOf(before, entry);
  if (effect === Effect.none) tree.staging.unstage(entry.path);
  else tree.staging.put(entry, effect);
}

/** @throws {DatasetError} `content-damaged` for a file of another remote that is not what its version says */
function requireSame({ id: { path, source }, sha256 }: StoredContent<Pending>): void {
  if (source.kind !== "stored" || source.sha256 === sha256) return;
  const what = textOf(path);
  const message = `Cannot copy "${what}": its content is not what its version says`;
  throw new DatasetError("content-damaged", { what, wanted: source.sha256, got: sha256 }, message);
}

/** Only a file that was read as it was scanned is remembered under the stamp it had then. */
function stampedOf({ id, sha256, sizeBytes, mtimeSec, mtimeNsec }: StoredContent<Pending>): Stamped[] {
  const { source, entry } = id;
  const asScanned =
    source.kind === "file" &&
    sizeBytes === entry.sizeBytes &&
    mtimeSec === entry.mtimeSec &&
    mtimeNsec === entry.mtimeNsec;
  return asScanned
    ? [{ path: source.path, stamp: source.stamp, sha256, hasXattrs: entry.xattrs !== undefined }]
    : [];
}
