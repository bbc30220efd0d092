/** Reads all that lies in a cache and compares it with its hashes; what is damaged is dropped, to be fetched again. */
import { closeSync, fstatSync, read, rmSync } from "node:fs";
import { promisify } from "node:util";

import { sha256 } from "../content/hash.js";
import { DatasetError } from "../errors.js";
import { sweepOrphans } from "./block-file.js";
import { type CacheFolder, blockPath, currentBoot } from "./folder.js";
import type { CacheIndex, FileFacts, LaidBlock } from "./index-db.js";
import { openIfThere } from "./open-files.js";

export interface VerifyOptions {
  signal?: AbortSignal | undefined;
  /** Told of bytes that were read and hashed. */
  onProgress?: ((bytes: number) => void) | undefined;
}

export interface VerifyResult {
  /** What was read, all in all. */
  files: number;
  blocks: number;
  bytes: number;
  /** Files with at least one wrong block, dropped with all that lay in them. */
  damagedFiles: number;
  damagedBlocks: number;
  /** Files that the index knew and nobody finds. */
  missingFiles: number;
  /** Files that no index knew, removed. */
  strayFiles: number;
  /** Pins that lack something now. */
  brokenPins: number;
}

const readAt = promisify(read);

/** Costs reading all there is; others may use the cache meanwhile. @throws {DatasetError} `cancelled` */
export async function verifyFolder(
  folder: CacheFolder,
  index: CacheIndex,
  { signal, onProgress = () => {} }: VerifyOptions = {},
): Promise<VerifyResult> {
  const verification = new Verification(folder, index, onProgress);
  for (const id of index.upkeep.fileIds()) {
    if (signal?.aborted) throw cancelled();
    await verification.take(id);
  }
  const strayFiles = await sweepOrphans(folder, index.bornMs(), () => index.names());
  return { ...verification.found, strayFiles, brokenPins: verification.brokenPins.size };
}

class Verification {
  readonly found = { files: 0, blocks: 0, bytes: 0, damagedFiles: 0, damagedBlocks: 0, missingFiles: 0 };
  readonly brokenPins = new Set<number>();
  readonly #boot = currentBoot();

  constructor(
    private readonly folder: CacheFolder,
    private readonly index: CacheIndex,
    private readonly onProgress: (bytes: number) => void,
  ) {}

  async take(id: number): Promise<void> {
    const facts = this.index.fileOf(id);
    if (!facts) return; // Evicted since the files were listed.
    const fd = openIfThere(blockPath(this.folder, facts.name));
    if (fd === undefined) this.found.missingFiles += this.#drop(id);
    else await this.#read(id, facts, fd).finally(() => closeSync(fd));
  }

  async #read(id: number, facts: FileFacts, fd: number): Promise<void> {
    const { ctimeMs } = fstatSync(fd);
    let wrong = 0;
    for (const entry of this.index.upkeep.entriesOf(id)) if (!(await this.#isRight(fd, entry))) wrong++;
    this.found.files++;
    this.found.damagedBlocks += wrong;
    if (wrong > 0) this.found.damagedFiles += this.#drop(id);
    else if (fstatSync(fd).ctimeMs === ctimeMs) this.#trust(id, facts, ctimeMs);
  }

  async #isRight(fd: number, { content, offset, sizeBytes }: LaidBlock): Promise<boolean> {
    const bytes = new Uint8Array(sizeBytes);
    const { bytesRead } = await readAt(fd, bytes, 0, sizeBytes, offset);
    this.found.blocks++;
    this.found.bytes += sizeBytes;
    this.onProgress(sizeBytes);
    return bytesRead === sizeBytes && sha256(bytes) === content;
  }

  /** What was written before a reboot, or touched since, need not be hashed at its next use. */
  #trust(id: number, facts: FileFacts, ctimeMs: number): void {
    const boot = this.#boot;
    const isTrusted = facts.ctimeMs === ctimeMs && facts.boot === boot;
    if (!isTrusted && this.index.upkeep.isFinished(id)) this.index.upkeep.trust(id, { ctimeMs, boot });
  }

  /** 0 when another process was quicker. */
  #drop(id: number): 0 | 1 {
    for (const pin of this.index.upkeep.pinsOf(id)) this.brokenPins.add(pin);
    const name = this.index.drop(id);
    if (name === undefined) return 0;
    rmSync(blockPath(this.folder, name), { force: true });
    return 1;
  }
}

function cancelled(): DatasetError<"cancelled"> {
  return new DatasetError("cancelled", { what: "verify" }, "Cannot verify the cache: it was interrupted");
}
