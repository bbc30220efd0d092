/**
 * What a remote is needed for: the keys of all objects in it that versions and leases name, in whatever remote these lie.
 * Whoever deletes what is not among them must know all: anything that cannot be read, or that a newer varve wrote, is an error.
 */
import { type Amendment, parseAmendment } from "../../catalog/amendment.js";
import { type RemoteId, type Sha256, packKey } from "../../content/chunk.js";
import { sha256 } from "../../content/hash.js";
import { mapInOrder } from "../../content/in-order.js";
import { SegmentReader, segmentKey } from "../../content/segment.js";
import { DatasetError, messageOf } from "../../errors.js";
import { type Range, openRangeOf } from "../../manifest/range.js";
import { type RangeRef, type Root, openRoot } from "../../manifest/root.js";
import { rangeKey } from "../../manifest/range-ref.js";
import type { ObjectKey, Remote } from "../../remote/remote.js";
import { attachmentsIn, attachmentsOfChange } from "./attachments-of.js";
import { DATASETS_PREFIX, type VersionRecord, isRecordKey, readRecordUnlessDeleted } from "../record.js";
import { attachmentKey } from "../attachments.js";
import type { Attachment } from "../attachments.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import type { Lease } from "./leases.js";
import type { PackUses } from "./pack-use.js";
import type { StoredRoot } from "./stored-root.js";

const READS_AT_ONCE = 32;
/** Each may have a MiB. */
const RANGES_AT_ONCE = 16;

export interface NeededOptions {
  signal?: AbortSignal | undefined;
  /** Told of every range. */
  uses?: PackUses | undefined;
}

/** Gathers what is needed of one remote. Memory: some 150 B an object; time: a request for each range once. */
export class Needed {
  readonly keys = new Set<ObjectKey>();
  readonly #ranges = new Set<Sha256>();
  readonly #segments = new Set<Sha256>();
  readonly #roots = new Set<Sha256>();

  constructor(
    private readonly workspace: Workspace,
    /** Of the remote whose objects are wanted. */
    private readonly remote: RemoteId,
    private readonly options: NeededOptions = {},
  ) {}

  /** What the records and amendments in a remote need. Gives how many versions that are. */
  async addVersionsIn({ id, remote }: OpenedRemote): Promise<number> {
    const [records, amendments] = await keysOfVersions(remote);
    const read = (key: ObjectKey) => readRecordUnlessDeleted(remote, key);
    const changes = await this.#readAmendments(remote, amendments);
    const versions = new Set<string>();
    for await (const record of mapInOrder(records, READS_AT_ONCE, read)) {
      this.options.signal?.throwIfAborted();
      if (!record || !this.#concerns(id, record)) continue;
      versions.add(record.id);
      await this.#addRecord(record, newestRoot(changes, record.id));
    }
    for (const { change } of changes) {
      if (change.version === undefined || !versions.has(change.version)) continue; // Nobody asks for those of a deleted version.
      await this.#addAttachments(attachmentsOfChange(await this.workspace.cache(), change));
    }
    return versions.size;
  }

  /** What leases hold. */
  async addLeases(leases: readonly Lease[]): Promise<void> {
    for (const { roots } of leases) for (const root of roots) await this.addRoot(root);
  }

  /** A tree: its root, ranges and index segments, and the packs these name. */
  async addRoot(stored: StoredRoot): Promise<void> {
    if (this.#roots.has(stored.hash)) return;
    this.#roots.add(stored.hash);
    if (stored.remote === this.remote) this.keys.add(stored.key);
    const remote = await this.workspace.remote(stored.remote);
    const bytes = await readVerified(remote, stored.key, { hash: stored.hash, bytes: stored.bytes });
    const root = openRoot(bytes);
    await this.#addRanges(root);
    for (const segment of root.segments) await this.#addSegment(segment);
  }

  /** A version in another remote needs this one only where its record says so. */
  #concerns(id: RemoteId, { remotes }: VersionRecord): boolean {
    return id === this.remote || remotes.some((each) => each.id === this.remote);
  }

  /** By its record or, after a repack, the root that was told last: an older one is read by nobody who begins now. */
  async #addRecord(record: VersionRecord, newest: VersionRecord["root"] | undefined): Promise<void> {
    const { root, remotes } = record;
    await this.addRoot({ remote: remotes[0]!.id, ...(newest ?? root) });
    await this.#addAttachments(attachmentsIn(await this.workspace.cache(), record));
  }

  /** @throws {DatasetError} `format-newer` for one that this varve does not understand: it may name anything */
  async #readAmendments(remote: Remote, keys: readonly ObjectKey[]): Promise<Amendment[]> {
    const found: Amendment[] = [];
    const text = async (key: ObjectKey) => ({ key, content: await remote.readWhole(key) });
    for await (const { key, content } of mapInOrder(keys, READS_AT_ONCE, text)) {
      const amendment = parseAmendment(Buffer.from(content).toString("utf8"));
      if (!amendment) throw notUnderstood(`${remote.url}/${key}`);
      found.push(amendment);
    }
    return found;
  }

  async #addAttachments(attachments: AsyncIterable<Attachment>): Promise<void> {
    for await (const { remote, sha256: hash, brotli } of attachments)
      if (remote === this.remote) this.keys.add(attachmentKey(brotli?.sha256 ?? hash));
  }

  async #addRanges(root: Root): Promise<void> {
    const fresh: RangeRef[] = [];
    for (let number = 0; number < root.rangeCount; number++) {
      const ref = root.rangeAt(number);
      if (!this.#ranges.has(ref.object)) fresh.push(ref);
      this.#ranges.add(ref.object);
      if (ref.remote === this.remote) this.keys.add(rangeKey(ref.object));
    }
    const read = async (ref: RangeRef) => {
      this.options.signal?.throwIfAborted();
      const { object: hash, objectBytes: bytes } = ref;
      const remote = await this.workspace.remote(ref.remote);
      return openRangeOf(await readVerified(remote, rangeKey(hash), { hash, bytes }), ref);
    };
    for await (const range of mapInOrder(fresh, RANGES_AT_ONCE, read)) this.#addRange(range);
  }

  #addRange(range: Range): void {
    for (const { pack, remote } of range.packs()) this.#addPack(pack, remote);
    this.options.uses?.note(range);
  }

  async #addSegment(segment: Root["segments"][number]): Promise<void> {
    if (segment.remote === this.remote) this.keys.add(segmentKey(segment.id));
    if (this.#segments.has(segment.id)) return;
    this.#segments.add(segment.id);
    const cache = await this.workspace.cache();
    const packs = await cache.complete((local) => new SegmentReader(segment, local).packs());
    for (const { pack, remote } of packs) this.#addPack(pack, remote);
  }

  #addPack(pack: Sha256, remote: RemoteId): void {
    if (remote === this.remote) this.keys.add(packKey(pack));
  }
}

/** As catalogs agree on it: the greatest stamp, of equal ones the greatest id. */
function newestRoot(amendments: readonly Amendment[], version: string): VersionRecord["root"] | undefined {
  let newest: Amendment | undefined;
  for (const amendment of amendments) {
    const { change, stampMs, id } = amendment;
    if (change.kind !== "root" || change.version !== version) continue;
    if (!newest || stampMs > newest.stampMs || (stampMs === newest.stampMs && id > newest.id))
      newest = amendment;
  }
  return newest?.change.kind === "root"
    ? { ...newest.change.root, hash: newest.change.root.hash as Sha256 }
    : undefined;
}

function notUnderstood(what: string): DatasetError<"format-newer"> {
  const message = `Cannot tell what "${what}" needs: it is damaged, or a newer varve wrote it`;
  return new DatasetError("format-newer", { what, version: 0 }, message);
}

async function keysOfVersions(remote: Remote): Promise<[records: ObjectKey[], amendments: ObjectKey[]]> {
  const [records, amendments]: [ObjectKey[], ObjectKey[]] = [[], []];
  for await (const { key } of remote.list(DATASETS_PREFIX))
    if (isRecordKey(key)) records.push(key);
    else if (key.includes("/amendments/")) amendments.push(key);
  return [records, amendments];
}

/** @throws {DatasetError} `format-damaged` for other bytes than the hash says; `object-missing` */
async function readVerified(
  remote: Remote,
  key: ObjectKey,
  { hash, bytes }: { hash: Sha256; bytes: number },
): Promise<Uint8Array> {
  const what = `${remote.url}/${key}`;
  const advice = "nothing is deleted while a version cannot be read; varve fsck tells what is wrong";
  try {
    const read = await remote.read(key, 0, bytes);
    if (sha256(read) === hash) return read;
  } catch (error) {
    const message = `Cannot collect: ${messageOf(error)}; ${advice}`;
    throw new DatasetError("format-damaged", { what }, message, { cause: error });
  }
  throw new DatasetError("format-damaged", { what }, `Cannot collect: "${what}" is damaged; ${advice}`);
}
