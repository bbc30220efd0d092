/**
 * Blocks on their way to disk. They gather until they make a file worth having or nothing more comes for a moment,
 * so that thousands of small fetches do not become thousands of small files; till then they are read from here.
 */
import type { Sha256 } from "../content/chunk.js";
import { MiB } from "../units.js";
import type { Fill } from "./block-file.js";

/** What waits for a slow disk at most, in bytes. Beyond it blocks are not kept: the disk must not slow readers down. */
const BACKLOG_BYTES = 64 * MiB;
/** How long a gathering fill waits for another block. */
const IDLE_MS = 50;

export class WriteBehind {
  #gathering = new Map<Sha256, Uint8Array>();
  #gatheringBytes = 0;
  readonly #writing = new Set<Fill>();
  #backlogBytes = 0;
  #written: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param write Writes one fill; it does not fail.
   * @param fillBytes The size from which a fill is written at once.
   */
  constructor(
    private readonly write: (fill: Fill) => Promise<void>,
    private readonly fillBytes: number,
  ) {}

  get(hash: Sha256): Uint8Array | undefined {
    const gathered = this.#gathering.get(hash);
    if (gathered) return gathered;
    for (const fill of this.#writing) if (fill.has(hash)) return fill.get(hash);
    return undefined;
  }

  /** Gives whether the bytes are to be written now: not when they were added before, nor while the disk lags behind. */
  add(hash: Sha256, bytes: Uint8Array): boolean {
    if (this.get(hash) || this.#backlogBytes + bytes.byteLength > BACKLOG_BYTES) return false;
    this.#gathering.set(hash, bytes);
    this.#gatheringBytes += bytes.byteLength;
    this.#backlogBytes += bytes.byteLength;
    if (this.#gatheringBytes >= this.fillBytes) this.#send();
    else this.#timer = this.#timer?.refresh() ?? setTimeout(() => this.#send(), IDLE_MS);
    return true;
  }

  /** Resolves when all that was added is written. */
  async flush(): Promise<void> {
    this.#send();
    await this.#written;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathering.size === 0) return;
    const fill = this.#gathering;
    const bytes = this.#gatheringBytes;
    this.#gathering = new Map();
    this.#gatheringBytes = 0;
    this.#writing.add(fill);
    this.#written = this.#written
      .then(() => this.write(fill))
      .finally(() => {
        this.#writing.delete(fill);
        this.#backlogBytes -= bytes;
      });
  }
}
