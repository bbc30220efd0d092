/**
 * Reads what is stored from its remote, past the cache, and notes what is not as it should be. A remote that fails a few
 * times, as a disk with bad sectors does, is noted; one that goes on failing cannot be judged, and ends it.
 */
import type { Block } from "../../cache/block.js";
import { decodeChecked } from "../../cache/flights.js";
import type { RangeRequest } from "../../cache/requests.js";
import type { RemoteId } from "../../content/chunk.js";
import { isDatasetError, messageOf } from "../../errors.js";
import type { Remote } from "../../remote/remote.js";
import type { Workspace } from "../workspace.js";
import type { Damage, DamageBook, DamageState } from "./damage.js";

/** Each failure has been tried again for up to a minute. */
const MOST_FAILURES = 16;

export class StoredReader {
  readonly #remotes = new Map<RemoteId, Promise<Remote>>();
  #failures = 0;

  constructor(
    private readonly workspace: Pick<Workspace, "remote">,
    private readonly book: DamageBook,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * The decoded bytes of a block, read by itself; undefined, and noted, when they are not what its hash says.
   *
   * @throws {DatasetError} `cancelled`; what the remote throws
   */
  async read(block: Block, what: Damage["what"]): Promise<Uint8Array | undefined> {
    const { key, offset, storedBytes } = block;
    const end = offset + storedBytes;
    const remote = await this.#remoteOf(block.remote);
    try {
      return await decodeChecked(block, await remote.read(key, offset, end, { signal: this.signal }));
    } catch (error) {
      const state = this.#stateOf(error);
      const problem = messageOf(error);
      this.book.note(block.remote, { state, what, remote: remote.url, key, start: offset, end, problem });
      return undefined;
    }
  }

  /** Checks blocks that lie side by side with one request. What seems wrong is read again by itself. */
  async check({ remote: id, key, start, end, blocks }: RangeRequest): Promise<void> {
    const remote = await this.#remoteOf(id);
    const bytes = await remote.read(key, start, end, { signal: this.signal }).catch(ignoreDamage);
    for (const block of blocks) {
      const from = block.offset - start;
      const stored = bytes?.subarray(from, from + block.storedBytes);
      if (!stored || !(await isRight(block, stored))) await this.read(block, "chunk");
    }
  }

  /** Looks whether a pack has at least as many bytes. */
  async checkPack({ remote: id, key, needBytes }: PackNeed): Promise<void> {
    const remote = await this.#remoteOf(id);
    const found = await remote.stat(key, { signal: this.signal });
    const start = found?.sizeBytes ?? 0;
    if (found && start >= needBytes) return;
    const problem = found ? `it ends after ${start} bytes` : "there is no such object";
    const state = found ? "damaged" : "missing";
    this.book.note(id, { state, what: "pack", remote: remote.url, key, start, end: needBytes, problem });
  }

  #remoteOf(id: RemoteId): Promise<Remote> {
    const known = this.#remotes.get(id) ?? this.workspace.remote(id);
    this.#remotes.set(id, known);
    return known;
  }

  #stateOf(error: unknown): DamageState {
    if (isDatasetError(error, "object-missing")) return "missing";
    if (isDatasetError(error, "content-damaged") || isDatasetError(error, "remote-short")) return "damaged";
    if (!isFailure(error) || ++this.#failures > MOST_FAILURES) throw error;
    return "failed";
  }
}

/** A pack, and how many bytes of it a version names. */
export interface PackNeed {
  remote: RemoteId;
  key: string;
  needBytes: number;
}

async function isRight(block: Block, stored: Uint8Array): Promise<boolean> {
  try {
    await decodeChecked(block, stored);
    return true;
  } catch (error) {
    if (isDatasetError(error, "content-damaged")) return false;
    throw error;
  }
}

/** Of a request for several blocks: each is then asked for alone, and tells. */
function ignoreDamage(error: unknown): undefined {
  const isTold = isDatasetError(error, "object-missing") || isDatasetError(error, "remote-short");
  if (!isTold && !isFailure(error)) throw error;
}

function isFailure(error: unknown): boolean {
  return isDatasetError(error, "remote-failed") || isDatasetError(error, "deadline");
}
