/**
 * Packs of which versions use little: what is used is laid into new packs, and every version that names it is given a new
 * generation of its root. Digests, identities of ranges and records stay; only locations change. The old packs, ranges and
 * roots are garbage from then on, and go as all garbage does: a reader who has the old root still finds what it names.
 */
import { blockOfChunk } from "../../cache/block.js";
import { decodeChecked } from "../../cache/flights.js";
import { type Chunk, type PackId, type RemoteId, type Sha256, packKey } from "../../content/chunk.js";
import { concatenate } from "../../content/bytes.js";
import { sha256 } from "../../content/hash.js";
import {
  type SegmentRef,
  SegmentRows,
  blockOfSegment,
  encodeSegmentRows,
  segmentKey,
} from "../../content/segment.js";
import { SegmentObject, chunkOfRow } from "../../content/segment-object.js";
import { DatasetError } from "../../errors.js";
import { type Entry, EntryType } from "../../manifest/entry.js";
import { encodeRange, openRangeOf } from "../../manifest/range.js";
import { type RangeRef, blockOfRange, rangeKey } from "../../manifest/range-ref.js";
import { type Root, encodeRoot, openRoot } from "../../manifest/root.js";
import type { ObjectKey } from "../../remote/remote.js";
import { recording } from "../../remote/recording.js";
import { MiB } from "../../units.js";
import { amendRoot } from "./amend-root.js";
import { DRAFT_HOLD_MS, endLease, putLease } from "./leases.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { rebuildCatalog } from "../rebuild.js";
import { newVersionId } from "../reference.js";
import { rootBlockOf } from "../version-tree.js";
import { versionsIn } from "../versions-in.js";
import type { OpenedRemote, Workspace } from "../workspace.js";

/** What is laid together is held in memory. */
const NEW_PACK_BYTES = 32 * MiB;

export interface Repacked {
  packs: number;
  /** Bytes that the next collections can free. */
  savedBytes: number;
  versions: number;
}

/**
 * Lays what is used of some packs into new ones, and names it there in all versions of this remote.
 *
 * @param sparse Packs to be emptied, with their sizes.
 */
export async function repack(
  workspace: Workspace,
  opened: OpenedRemote,
  sparse: ReadonlyMap<PackId, number>,
): Promise<Repacked> {
  await rebuildCatalog(workspace, [opened.remote.url]);
  const versions = await versionsIn(workspace, opened.id);
  const lease = newVersionId();
  const terms = { id: lease, what: "repack", user: workspace.user, roots: [], holdMs: DRAFT_HOLD_MS };
  await putLease(opened.remote, terms);
  try {
    return await new Repacking(workspace, opened, sparse, lease).run(versions);
  } finally {
    await endLease(opened.remote, lease);
  }
}

class Repacking {
  /** New places by old ones. */
  readonly #moved = new Map<string, Chunk>();
  readonly #ranges = new Map<Sha256, RangeRef>();
  readonly #segments = new Map<Sha256, SegmentRef | undefined>();
  #filling: { chunk: Chunk; stored: Uint8Array }[] = [];
  #fillingBytes = 0;
  #writtenBytes = 0;

  constructor(
    private readonly workspace: Workspace,
    private readonly opened: OpenedRemote,
    private readonly sparse: ReadonlyMap<PackId, number>,
    private readonly lease: string,
  ) {}

  async run(versions: readonly FoundVersion[]): Promise<Repacked> {
    const roots = new Map<FoundVersion, Root>();
    for (const found of versions) roots.set(found, await this.#rootOf(found));
    for (const root of roots.values()) for (const ref of rangesOf(root)) await this.#moveChunksOf(ref);
    await this.#putPack();
    let changed = 0;
    for (const [found, root] of roots) if (await this.#rewrite(found, root)) changed += 1;
    const oldBytes = [...this.sparse.values()].reduce((sum, bytes) => sum + bytes, 0);
    return { packs: this.sparse.size, savedBytes: oldBytes - this.#writtenBytes, versions: changed };
  }

  async #rootOf({ version }: FoundVersion): Promise<Root> {
    return openRoot(await (await this.workspace.cache()).read(rootBlockOf(version)));
  }

  async #rangeOf(ref: RangeRef) {
    return openRangeOf(await (await this.workspace.cache()).read(blockOfRange(ref)), ref);
  }

  /** Lays what a range has in sparse packs into new ones, what was not laid for another. */
  async #moveChunksOf(ref: RangeRef): Promise<void> {
    if (this.#ranges.has(ref.object)) return;
    this.#ranges.set(ref.object, ref);
    const range = await this.#rangeOf(ref);
    if (!range.packs().some((place) => this.#isSparse(place))) return;
    for (let index = 0; index < range.count; index++)
      for (const chunk of range.chunksAt(index)) if (this.#isSparse(chunk)) await this.#move(chunk);
  }

  async #move(chunk: Chunk): Promise<void> {
    const place = placeOf(chunk);
    if (this.#moved.has(place)) return;
    const { pack, offset, storedBytes } = chunk;
    const stored = await this.opened.remote.read(packKey(pack), offset, offset + storedBytes);
    await decodeChecked(blockOfChunk(chunk), stored);
    this.#moved.set(place, chunk);
    if (this.#fillingBytes + storedBytes > NEW_PACK_BYTES) await this.#putPack();
    this.#filling.push({ chunk, stored });
    this.#fillingBytes += storedBytes;
  }

  async #putPack(): Promise<void> {
    if (this.#filling.length === 0) return;
    const bytes = concatenate(this.#filling.map(({ stored }) => stored));
    const pack = sha256(bytes);
    await this.opened.remote.put(packKey(pack), bytes, { sha256: pack });
    let offset = 0;
    for (const { chunk } of this.#filling) {
      this.#moved.set(placeOf(chunk), { ...chunk, pack, offset });
      offset += chunk.storedBytes;
    }
    this.#writtenBytes += bytes.length;
    [this.#filling, this.#fillingBytes] = [[], 0];
  }

  /** Gives a version a new root where anything it names has moved. */
  async #rewrite(found: FoundVersion, root: Root): Promise<boolean> {
    const put = recording(this.opened.remote);
    const ranges = await Promise.all(rangesOf(root).map((ref) => this.#rewriteRange(ref, put)));
    const segments = await Promise.all(root.segments.map((segment) => this.#rewriteSegment(segment, put)));
    const isSame =
      ranges.every((ref, number) => ref === root.rangeAt(number)) &&
      segments.every((one, i) => one === root.segments[i]);
    if (isSame) return false;
    const kept = segments.filter((segment) => segment !== undefined);
    const bytes = encodeRoot({ ranges, segments: kept, remote: this.opened.id });
    requireSameTree(found, root, openRoot(bytes));
    const key = nextGeneration(found.version.rootKey!);
    const hash = sha256(bytes);
    await put.put(key, bytes, { sha256: hash });
    const needs = new Set<ObjectKey>(
      put.calls.flatMap((call) => (call.startsWith("put ") ? [call.slice(4)] : [])),
    );
    for (const { pack } of this.#moved.values()) needs.add(packKey(pack));
    await amendRoot(this.workspace, this.opened, found, {
      root: { key, hash, bytes: bytes.length },
      needs,
      lease: this.lease,
    });
    return true;
  }

  async #rewriteRange(ref: RangeRef, remote: Pick<OpenedRemote["remote"], "put">): Promise<RangeRef> {
    const known = this.#ranges.get(ref.object)!;
    if (known.object !== ref.object) return known;
    const range = await this.#rangeOf(ref);
    if (!range.packs().some((place) => this.#isSparse(place))) return ref;
    const entries = Array.from({ length: range.count }, (_, index) => this.#relocated(range.entryAt(index)));
    const made = encodeRange(entries, this.opened.id);
    await remote.put(rangeKey(made.object), made.bytes, { sha256: made.object });
    this.#ranges.set(ref.object, made.ref);
    return made.ref;
  }

  #relocated(entry: Entry): Entry {
    if (entry.type !== EntryType.file) return entry;
    return { ...entry, chunks: entry.chunks.map((chunk) => this.#moved.get(placeOf(chunk)) ?? chunk) };
  }

  /** Undefined where nothing is left of it. What no version uses is not named any more. */
  async #rewriteSegment(
    segment: SegmentRef,
    remote: Pick<OpenedRemote["remote"], "put">,
  ): Promise<SegmentRef | undefined> {
    if (this.#segments.has(segment.id)) return this.#segments.get(segment.id);
    const bytes = await (await this.workspace.cache()).read(blockOfSegment(segment));
    const object = new SegmentObject(bytes);
    const packs = object.packs();
    if (!packs.some((place) => this.#isSparse(place))) return segment;
    const rows = new SegmentRows();
    for (const { row, pack } of object.rows()) {
      const chunk = chunkOfRow(row, packs[pack]!);
      const now = this.#isSparse(chunk) ? this.#moved.get(placeOf(chunk)) : chunk;
      if (now) rows.addChunk(now);
    }
    const made = rows.count > 0 ? encodeSegmentRows(rows.sorted(), this.opened.id) : undefined;
    if (made) await remote.put(segmentKey(made.ref.id), made.bytes, { sha256: made.ref.id });
    this.#segments.set(segment.id, made?.ref);
    return made?.ref;
  }

  #isSparse({ pack, remote }: { pack: PackId; remote: RemoteId }): boolean {
    return remote === this.opened.id && this.sparse.has(pack);
  }
}

function rangesOf(root: Root): RangeRef[] {
  return Array.from({ length: root.rangeCount }, (_, number) => root.rangeAt(number));
}

function placeOf({ pack, offset }: Chunk): string {
  return `${pack} ${offset}`;
}

/** `roots/<id>/2` after `roots/<id>/1`. */
function nextGeneration(key: ObjectKey): ObjectKey {
  const slash = key.lastIndexOf("/");
  return `${key.slice(0, slash)}/${Number(key.slice(slash + 1)) + 1}`;
}

function requireSameTree(found: FoundVersion, before: Root, after: Root): void {
  if (before.treeDigest === after.treeDigest && before.contentDigest === after.contentDigest) return;
  const what = nameOfVersion(found);
  throw new DatasetError("format-damaged", { what }, `Cannot repack "${what}": it would become another tree`);
}
