/**
 * The versions that a mount of every version has open. One is opened when it is entered, its root fetched like any
 * block; its tree is closed when the kernel has forgotten it, or when more are open than are kept, and then opened
 * again when it is asked something.
 */
import { LRUCache } from "lru-cache";

import { Missing } from "../../cache/block.js";
import { FileSystemError } from "../errno.js";
import { explained } from "../explain/explained.js";
import type { FileSystem } from "../filesystem.js";
import { type Owner, type Supplied, openVersion } from "../open-version.js";
import type { CatalogVersion } from "../questions.js";
import { readOnlyFileSystem } from "../read-only.js";

/** Roots of trees kept open: some 30 trees of 10,000,000 entries, thousands of small ones up to the second bound. */
const OPEN_ROOTS_BYTES = 32 * 1024 * 1024;
const MOST_OPEN = 64;

/** A version that the kernel knows the folder of. */
interface Known {
  version: CatalogVersion;
  /** How often the kernel was given the folder and has not forgotten it. */
  references: number;
}

export class OpenVersions {
  readonly #known = new Map<number, Known>();
  readonly #open = new LRUCache<number, FileSystem>({ max: MOST_OPEN, maxSize: OPEN_ROOTS_BYTES });

  constructor(
    private readonly owner: Owner,
    private readonly supplied: Supplied,
  ) {}

  /** The kernel was given a version's folder. A version stays what it is, so the first to say so is believed. */
  given(slot: number, version: CatalogVersion): void {
    const known = this.#known.get(slot);
    if (known) known.references++;
    else this.#known.set(slot, { version, references: 1 });
  }

  /** The kernel dropped so many references to a version's folder. With the last it has forgotten all that lies in it. */
  forget(slot: number, count: number): void {
    const known = this.#known.get(slot);
    if (!known) return;
    known.references -= count;
    if (known.references > 0) return;
    this.#known.delete(slot);
    this.#open.delete(slot);
  }

  /** @throws {FileSystemError} `ESTALE` for a version that the kernel was never given */
  version(slot: number): CatalogVersion {
    const known = this.#known.get(slot);
    if (!known) throw new FileSystemError("ESTALE");
    return known.version;
  }

  /** What a version holds. May throw `Missing`. */
  fileSystem(slot: number): FileSystem {
    return this.#open.get(slot) ?? this.#opened(slot);
  }

  #opened(slot: number): FileSystem {
    const { id, reference, root, expected } = this.version(slot);
    const bytes = this.supplied.blocks.get(root.hash);
    if (!bytes) throw new Missing([root]);
    const { files, facts } = openVersion(
      { version: { id, reference }, root: bytes, expected },
      this.owner,
      this.supplied,
    );
    const fileSystem = explained(readOnlyFileSystem(files), facts);
    this.#open.set(slot, fileSystem, { size: root.sizeBytes });
    return fileSystem;
  }
}
