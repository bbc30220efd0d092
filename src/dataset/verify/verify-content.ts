/**
 * Whether what is stored of a version is still all there: its listing and packs as they lie in their remotes, not as the
 * cache has them. Costs a walk over the listing and a question for each pack; by hash also reading all of it, in order of
 * packs; and one more walk when something is wrong, to name the files. What external files lead to is no part of it.
 */
import { LRUCache } from "lru-cache";

import { type Block, blockOfChunk } from "../../cache/block.js";
import type { Cache } from "../../cache/cache.js";
import { type RangeRequest, planRequests } from "../../cache/requests.js";
import type { VersionRow } from "../../catalog/catalog.js";
import { type Chunk, packKey } from "../../content/chunk.js";
import { mapInOrder } from "../../content/in-order.js";
import { EntryType } from "../../manifest/entry.js";
import { type ExpectedTree, matchRoot } from "../../manifest/outline.js";
import { type Range, openRangeOf } from "../../manifest/range.js";
import { type RangeRef, blockOfRange } from "../../manifest/range-ref.js";
import { type Root, openRoot } from "../../manifest/root.js";
import { expectedTree, rootBlockOf } from "../version-tree.js";
import type { Workspace } from "../workspace.js";
import { type Damage, DamageBook } from "./damage.js";
import { type PackNeed, StoredReader } from "./stored-reader.js";
import type { VerifyOptions } from "./verify-version.js";

export interface VerifiedContent {
  of: "content";
  by: "hash" | "size";
  packs: number;
  chunks: number;
  /** Stored bytes of the chunks, each counted once. */
  bytes: number;
  damaged: Damage[];
}

const RANGES_AT_ONCE = 8;
/** Each holds up to 4 MiB, and one chunk of it decoded. */
const READS_AT_ONCE = 8;
const STATS_AT_ONCE = 16;
/** Put in order of packs together; each takes some 300 B of memory. */
const BATCH_CHUNKS = 65_536;
/** Places remembered, so that content which occurs again and again is read once: 40 MB of memory. */
const KNOWN_PLACES = 262_144;

/** @throws {DatasetError} `version-unfinished`; `cancelled`; what the remote throws when it cannot be asked */
export async function verifyContent(
  workspace: Workspace,
  version: VersionRow,
  options: VerifyOptions,
): Promise<VerifiedContent> {
  const verification = new Verification(workspace, await workspace.cache(), options);
  return verification.run(rootBlockOf(version), await expectedTree(workspace, version));
}

class Verification {
  readonly #book = new DamageBook();
  readonly #reader: StoredReader;
  readonly #verified: VerifiedContent;
  #doneBytes = 0;

  constructor(
    workspace: Workspace,
    private readonly cache: Cache,
    private readonly options: VerifyOptions,
  ) {
    this.#reader = new StoredReader(workspace, this.#book, options.signal);
    const { by = "hash" } = options;
    this.#verified = { of: "content", by, packs: 0, chunks: 0, bytes: 0, damaged: this.#book.found };
  }

  async run(rootBlock: Block, expected: ExpectedTree): Promise<VerifiedContent> {
    const bytes = await this.#listing(rootBlock, "root");
    if (!bytes) return this.#verified;
    const root = matchRoot(openRoot(bytes), expected);
    await this.#checkPacks(await this.#survey(root));
    if (this.#verified.by === "hash") await this.#checkChunks(root);
    if (this.#book.touchesFiles) await this.#nameFiles(root);
    return this.#verified;
  }

  /** Reads the listing as it is stored, and counts what it names. */
  async #survey(root: Root): Promise<PackNeed[]> {
    const needs = new Map<string, PackNeed>();
    const isFirst = firstTime();
    const load = (ref: RangeRef) => this.#listing(blockOfRange(ref), "range");
    for await (const range of rangesOf(root, load))
      for (const chunk of chunksIn(range)) {
        note(needs, chunk);
        if (!isFirst(chunk)) continue;
        this.#verified.chunks++;
        this.#verified.bytes += chunk.storedBytes;
      }
    this.#verified.packs = needs.size;
    return [...needs.values()];
  }

  async #checkPacks(needs: readonly PackNeed[]): Promise<void> {
    const bySize = this.#verified.by === "size";
    const totalBytes = needs.reduce((sum, { needBytes }) => sum + needBytes, 0);
    const checked = mapInOrder(needs, STATS_AT_ONCE, async (need) => {
      await this.#reader.checkPack(need);
      return need.needBytes;
    });
    for await (const bytes of checked) if (bySize) this.#tell(bytes, totalBytes);
  }

  async #checkChunks(root: Root): Promise<void> {
    const checked = mapInOrder(this.#requests(root), READS_AT_ONCE, async (request) => {
      await this.#reader.check(request);
      return request.blocks.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    });
    for await (const bytes of checked) this.#tell(bytes, this.#verified.bytes);
  }

  /** What is known to be missing is not asked for. */
  async *#requests(root: Root): AsyncGenerator<RangeRequest> {
    const isFirst = firstTime();
    let batch: Block[] = [];
    for await (const range of rangesOf(root, (ref) => this.#listingAgain(ref)))
      for (const chunk of chunksIn(range)) {
        if (!isFirst(chunk)) continue;
        if (this.#book.touching(chunk).next().done) batch.push(blockOfChunk(chunk));
        if (batch.length < BATCH_CHUNKS) continue;
        yield* planRequests(batch);
        batch = [];
      }
    yield* planRequests(batch);
  }

  async #nameFiles(root: Root): Promise<void> {
    for await (const range of rangesOf(root, (ref) => this.#listingAgain(ref)))
      for (let index = 0; index < range.count; index++)
        if (range.typeAt(index) === EntryType.file)
          for (const chunk of range.chunksAt(index)) this.#book.enter(range.pathAt(index), chunk);
  }

  /** A part of the listing from its remote, kept for the next walk; a damaged one from the cache, so that the walk goes on. */
  async #listing(block: Block, what: "root" | "range"): Promise<Uint8Array | undefined> {
    const bytes = await this.#reader.read(block, what);
    if (bytes) this.cache.keep(block, bytes);
    return bytes ?? this.cache.local.get(block.hash);
  }

  async #listingAgain(ref: RangeRef): Promise<Uint8Array | undefined> {
    const block = blockOfRange(ref);
    const isLost = this.#book.found.some(({ what, key }) => what === "range" && key === block.key);
    return isLost
      ? this.cache.local.get(block.hash)
      : this.cache.read(block, { signal: this.options.signal });
  }

  #tell(bytes: number, totalBytes: number): void {
    this.#doneBytes += bytes;
    this.options.onProgress?.({ bytes: this.#doneBytes, totalBytes });
  }
}

/** The ranges that can be had, in order. */
async function* rangesOf(
  root: Root,
  load: (ref: RangeRef) => Promise<Uint8Array | undefined>,
): AsyncGenerator<Range> {
  const refs = Array.from({ length: root.rangeCount }, (_, number) => root.rangeAt(number));
  const loaded = mapInOrder(refs, RANGES_AT_ONCE, async (ref) => ({ ref, bytes: await load(ref) }));
  for await (const { ref, bytes } of loaded) if (bytes) yield openRangeOf(bytes, ref);
}

function* chunksIn(range: Range): Generator<Chunk> {
  for (let index = 0; index < range.count; index++)
    if (range.typeAt(index) === EntryType.file) yield* range.chunksAt(index);
}

function note(needs: Map<string, PackNeed>, { remote, pack, offset, storedBytes }: Chunk): void {
  const place = `${remote} ${pack}`;
  const need = needs.get(place) ?? { remote, key: packKey(pack), needBytes: 0 };
  need.needBytes = Math.max(need.needBytes, offset + storedBytes);
  needs.set(place, need);
}

/** Tells which places come for the first time, as far as it remembers: the same content may lie in several. */
function firstTime(): (chunk: Chunk) => boolean {
  const known = new LRUCache<string, true>({ max: KNOWN_PLACES });
  return ({ remote, pack, offset }) => {
    const place = `${remote} ${pack} ${offset}`;
    const isNew = !known.has(place);
    if (isNew) known.set(place, true);
    return isNew;
  };
}
