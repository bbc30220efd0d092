/**
 * Blocks on their way from a remote: one fetch for a block however many wait for it, every block decoded and checked
 * before anyone sees it. Which requests are made is `requests.ts`; what is kept is the cache's business.
 *
 * A Map and not the `fetch` of lru-cache: there a fetch in flight is an entry that other blocks may push out, and
 * the next reader would send the request again.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";

import type { RemoteId, Sha256 } from "../content/chunk.js";
import { decodeChunk, decodeChunkAside } from "../content/decode.js";
import { sha256 } from "../content/hash.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { type LinkStore, changed } from "../remote/links/source.js";
import type { Remote } from "../remote/remote.js";
import { KiB } from "../units.js";
import type { Block } from "./block.js";
import { withinDeadline } from "./deadline.js";
import type { OnCacheFault } from "./disk.js";
import { isLinkBlock } from "./link-blocks.js";
import { ownBytes } from "./memory.js";
import { type RangeRequest, planRequests, requestOf } from "./requests.js";

export interface FlightOptions {
  remoteOf: (id: RemoteId) => Remote | Promise<Remote>;
  /** Reads external files. */
  links: Pick<LinkStore, "read">;
  /** Longest one request may take, in ms. */
  deadlineMs: number;
  /** Whether a remote that is out of reach is asked again until then. */
  outlastsOutages: boolean;
  /** Told of every answer that was not what it should be. */
  onFault: OnCacheFault;
  /** Told of every block that arrived and is right, before those who wait for it. */
  landed: (block: Block, bytes: Uint8Array) => void;
}

/** `wanted`: a reader waits. `ahead`: a guess, which must not take the wires from readers. */
export type Lane = "wanted" | "ahead";

/** Requests in flight. With 4 MiB each they hold 160 MiB at most; 24 small ones at 15 ms give 1,600 a second. */
const REQUESTS_IN_FLIGHT = { wanted: 24, ahead: 16 };
/** Smaller brotli is decoded on this thread: it takes about 100 µs, little more than the way to zlib's threads and back. */
const DECODE_ASIDE_BYTES = 32 * KiB;
/** Longest pause before a remote is asked anew that has failed several times in a row. */
const RETRY_MS = 1_000;

export class Flights {
  /** What has been asked of remotes since the start. */
  readonly fetched = { bytes: 0, requests: 0 };
  readonly #flying = new Map<Sha256, Promise<Uint8Array>>();
  readonly #lanes = { wanted: pLimit(REQUESTS_IN_FLIGHT.wanted), ahead: pLimit(REQUESTS_IN_FLIGHT.ahead) };
  readonly #closing = new AbortController();

  constructor(private readonly options: FlightOptions) {
    setMaxListeners(0, this.#closing.signal); // Every request in flight listens to it.
  }

  /**
   * The bytes of each block that somebody waits for, in the order asked; a block already on its way is joined. Blocks
   * `along` share requests where they lie beside those, else they go after them.
   * Rejections are not remembered: a block missing now may be uploaded a second later.
   */
  fetch(wanted: readonly Block[], along: readonly Block[] = []): Promise<Uint8Array>[] {
    const grounded = this.#grounded(wanted);
    const others = this.#grounded(along);
    for (const hash of grounded.keys()) others.delete(hash);
    const requests = planRequests([...grounded.values()], [...others.values()]);
    for (const request of requests) this.#start(request, request.isWanted ? "wanted" : "ahead");
    return wanted.map(({ hash }) => this.#flying.get(hash)!);
  }

  /** The same for blocks that nobody waits for yet. */
  prefetch(blocks: readonly Block[]): Promise<Uint8Array>[] {
    void this.fetch([], blocks);
    return blocks.map(({ hash }) => this.#flying.get(hash)!);
  }

  /** Ends every request; those who wait get `cancelled`. Resolves when none is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#flying.values());
  }

  #grounded(blocks: readonly Block[]): Map<Sha256, Block> {
    const grounded = blocks.filter(({ hash }) => !this.#flying.has(hash));
    return new Map(grounded.map((block) => [block.hash, block]));
  }

  #start(request: RangeRequest, lane: Lane): void {
    const reply = this.#request(request, lane);
    for (const block of request.blocks) {
      const from = block.offset - request.start;
      const landing = reply
        .then((bytes) => this.#check(block, bytes.subarray(from, from + block.storedBytes)))
        .finally(() => this.#flying.delete(block.hash));
      landing.catch(() => {}); // Whoever waits hears of it; a block fetched ahead has nobody.
      this.#flying.set(block.hash, landing);
    }
  }

  #request(request: RangeRequest, lane: Lane): Promise<Uint8Array> {
    const { key, start, end } = request;
    const { deadlineMs } = this.options;
    const what = `fetch of "${key}" [${start}, ${end})`;
    return this.#lanes[lane](() =>
      withinDeadline(what, deadlineMs, this.#closing.signal, async (signal) => {
        const bytes = await this.#readPatiently(request, signal);
        this.fetched.requests++;
        this.fetched.bytes += bytes.byteLength;
        return bytes;
      }),
    );
  }

  /** A remote that is out of reach may be back before the deadline, and readers wait that long. */
  async #readPatiently(request: RangeRequest, signal: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      try {
        return await this.#read(request, signal);
      } catch (error) {
        if (signal.aborted || !this.options.outlastsOutages || !isOutOfReach(error)) throw error;
      }
      await sleep(Math.random() * RETRY_MS, undefined, { signal });
    }
  }

  async #read({ remote, key, start, end, link }: RangeRequest, signal: AbortSignal): Promise<Uint8Array> {
    const { remoteOf, links } = this.options;
    if (link) return links.read(link, start, end, { signal });
    return (await remoteOf(remote)).read(key, start, end, { signal });
  }

  /** The decoded block; one that is not what its name says is asked for once more, alone. */
  async #check(block: Block, stored: Uint8Array): Promise<Uint8Array> {
    const bytes = await decodeChecked(block, stored).catch(async (error: unknown) => {
      if (!isDatasetError(error, "content-damaged")) throw error;
      this.options.onFault("wrong", {
        remote: block.remote,
        key: block.key,
        offset: block.offset,
        ...error.data,
      });
      return decodeChecked(block, await this.#request(requestOf(block), "wanted")).catch(
        explainDamage(block),
      );
    });
    this.options.landed(block, bytes);
    return bytes;
  }
}

function isOutOfReach(error: unknown): boolean {
  return (["remote-failed", "remote-short", "deadline"] as const).some((code) => isDatasetError(error, code));
}

/**
 * Decodes and compares with the hash, where there is one; large brotli on zlib's threads.
 * @throws {DatasetError} `content-damaged`
 */
export async function decodeChecked(block: Block, stored: Uint8Array): Promise<Uint8Array> {
  const decode = block.storedBytes < DECODE_ASIDE_BYTES ? decodeChunk : decodeChunkAside;
  const bytes = ownBytes(await decode(stored, block));
  if (isLinkBlock(block.hash)) return bytes;
  const got = sha256(bytes);
  if (got === block.hash) return bytes;
  const message = `Cannot use a block: its SHA-256 is "${got}", not "${block.hash}"`;
  throw new DatasetError("content-damaged", { what: "block", wanted: block.hash, got }, message);
}

/** Says where the bytes came from, which the decoder does not know. */
function explainDamage({ key, offset, storedBytes, link }: Block): (error: unknown) => never {
  return (error) => {
    if (!isDatasetError(error, "content-damaged")) throw error;
    if (link) throw changed(link.url, `its SHA-256 is ${error.data.got}, and was ${error.data.wanted}`);
    const what = `"${key}" [${offset}, ${offset + storedBytes})`;
    const message = `Cannot use ${what}: fetched twice, it should be ${error.data.wanted} and is ${error.data.got}`;
    throw new DatasetError("content-damaged", { ...error.data, what }, message, { cause: error });
  };
}
