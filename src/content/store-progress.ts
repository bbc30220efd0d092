/** How far storing has come, told at each step. */

/** So far: files stored, bytes stored (of a large file those on their way too), and bytes sent for them. */
export interface StoreProgress {
  files: number;
  bytes: number;
  sentBytes: number;
}

/** @template Content What is stored: a file's content, told apart by identity. */
export class ProgressTally<Content> {
  readonly #total: StoreProgress = { files: 0, bytes: 0, sentBytes: 0 };
  /** Bytes taken so far of contents that are streamed. */
  readonly #streamed = new Map<Content, number>();

  constructor(private readonly onProgress: ((progress: StoreProgress) => void) | undefined) {}

  sent(bytes: number): void {
    this.#total.sentBytes += bytes;
    this.#tell();
  }

  stored(content: Content, sizeBytes: number): void {
    this.#streamed.delete(content);
    this.#total.files += 1;
    this.#total.bytes += sizeBytes;
    this.#tell();
  }

  /** An attempt after the first begins at the start again: what it takes again is no news. */
  streamed(content: Content, takenBytes: number): void {
    this.#streamed.set(content, Math.max(takenBytes, this.#streamed.get(content) ?? 0));
    this.#tell();
  }

  lost(content: Content): void {
    this.#streamed.delete(content);
  }

  #tell(): void {
    if (!this.onProgress) return;
    let underway = 0;
    for (const bytes of this.#streamed.values()) underway += bytes;
    this.onProgress({ ...this.#total, bytes: this.#total.bytes + underway });
  }
}
