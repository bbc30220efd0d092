/**
 * Where the parts of a range object lie. All numbers little-endian.
 *
 * The logical block, whose hash is the identity of the range:
 *
 * | part | bytes | what |
 * |---|---|---|
 * | header | 28 | "VVRG", u16 version, u16 zero, u32 each: length of the logical block, entries, owners, groups, heap |
 * | owners | 8 each | u32 uid, u32 gid, in order of first use |
 * | groups | 8 each | one a parent directory: u32 offset of its path in the heap, u16 length, u16 index of its first entry |
 * | records | 66 each | one an entry, in order; see `Field` |
 * | heap | | paths of the groups, names, extras (`extras.ts`), each end to end in the order of the entries |
 *
 * The locations block follows it. Remote 0 is the one the object itself lies in and is not written down, so an object
 * may be copied to another remote together with the packs it names.
 *
 * | part | bytes | what |
 * |---|---|---|
 * | header | 12 | u32 each: further remotes, packs, listed chunks |
 * | remotes | 16 each | identity |
 * | packs | 36 each | u32 remote, SHA-256 |
 * | places | 16 each | one an entry; see `Place` |
 * | listed chunks | 52 each | chunks of files that have more than one, file after file; see `Listed` |
 */
import type { RemoteId, Sha256 } from "../content/chunk.js";
import { newerFormat } from "../format.js";
import { asBuffer, damaged, viewOf } from "./binary.js";
import { RANGE_ENTRIES_MAX } from "./key.js";

export const RANGE_MAGIC = "VVRG";
export const RANGE_VERSION = 1;
export const RANGE_WHAT = "range of a manifest";

export const HEADER_BYTES = 28;
export const OWNER_BYTES = 8;
export const GROUP_BYTES = 8;
export const RECORD_BYTES = 66;
export const LOCATIONS_HEADER_BYTES = 12;
export const REMOTE_BYTES = 16;
export const PACK_BYTES = 36;
export const PLACE_BYTES = 16;
export const LISTED_BYTES = 52;

/** Offsets in a record: u32 name in the heap, u8 its length, u8 type, u16 mode, u16 owner, u32 extras in the heap, … */
export const Field = {
  name: 0,
  nameLength: 4,
  type: 5,
  mode: 6,
  owner: 8,
  /** `NO_EXTRAS` for none. */
  extras: 10,
  /** u32. From here to the end a record is the same wherever its entry lies. */
  mtimeNsec: 14,
  /** i64 */
  mtimeSec: 18,
  /** u64; zero for directories and symbolic links. */
  size: 26,
  /** 32 bytes; zeros where there is none. */
  sha256: 34,
} as const;
export const NO_EXTRAS = 0xffffffff;

/** Offsets in a place: where a file of one chunk lies, or which listed chunks are a file's. */
export const Place = {
  form: 0,
  codec: 1,
  offset: 2,
  storedBytes: 8,
  pack: 12,
  listCount: 8,
  listFirst: 12,
} as const;
/** What a place says: nothing; one chunk, which is the whole file; listed chunks. */
export const Form = { none: 0, one: 1, list: 2 } as const;

/** Offsets in a listed chunk: 32 bytes, u32, u32, u48, u32, u8, and a zero. */
export const Listed = {
  hash: 0,
  size: 32,
  storedBytes: 36,
  offset: 40,
  pack: 46,
  codec: 50,
  zero: 51,
} as const;

/** The parts of one range object as offsets into its bytes. */
export interface Layout {
  bytes: Buffer;
  view: DataView;
  logicalBytes: number;
  entryCount: number;
  ownerCount: number;
  owners: number;
  groupCount: number;
  groups: number;
  records: number;
  heap: number;
  /** By index; the first is the remote of the object itself. */
  remotes: RemoteId[];
  packCount: number;
  packs: number;
  /** Names of packs by number, as far as they were asked for: a thousand chunks lie in one pack. */
  packIds: (Sha256 | undefined)[];
  places: number;
  listedCount: number;
  listed: number;
}

/**
 * Finds the parts of a range object; every part lies within its bytes, and together they are all of them.
 * @param remote The remote the object lies in.
 * @throws {DatasetError} `format-damaged`, `format-newer`
 */
export function layoutOf(object: Uint8Array, remote: RemoteId): Layout {
  const bytes = asBuffer(object);
  const view = viewOf(object);
  checkMagic(bytes);
  const logical = logicalLayout(view);
  const locations = locationsLayout(view, logical.logicalBytes, logical.entryCount);
  const remotes = [remote, ...remotesAt(bytes, locations.remotes, locations.remoteCount)];
  return { bytes, view, ...logical, ...locations, remotes, packIds: [] };
}

function checkMagic(bytes: Buffer): void {
  if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, 4) !== RANGE_MAGIC)
    throw damaged(RANGE_WHAT, "it is not one");
  const version = bytes.readUInt16LE(4);
  if (version > RANGE_VERSION) throw newerFormat(RANGE_WHAT, version, RANGE_VERSION);
  if (version === 0 || bytes.readUInt16LE(6) !== 0) throw damaged(RANGE_WHAT, "its version cannot be");
}

function logicalLayout(view: DataView) {
  const [logicalBytes, entryCount, ownerCount, groupCount, heapBytes] = [8, 12, 16, 20, 24].map((at) =>
    view.getUint32(at, true),
  ) as [number, number, number, number, number];
  if (entryCount === 0 || entryCount > RANGE_ENTRIES_MAX)
    throw damaged(RANGE_WHAT, `it claims ${entryCount} entries`);
  const owners = HEADER_BYTES;
  const groups = owners + ownerCount * OWNER_BYTES;
  const records = groups + groupCount * GROUP_BYTES;
  const heap = records + entryCount * RECORD_BYTES;
  if (heap + heapBytes !== logicalBytes || logicalBytes > view.byteLength - LOCATIONS_HEADER_BYTES)
    throw damaged(RANGE_WHAT, "its parts do not make up its length");
  return { logicalBytes, entryCount, ownerCount, owners, groupCount, groups, records, heap };
}

function locationsLayout(view: DataView, start: number, entryCount: number) {
  const [remoteCount, packCount, listedCount] = [0, 4, 8].map((at) => view.getUint32(start + at, true)) as [
    number,
    number,
    number,
  ];
  const remotes = start + LOCATIONS_HEADER_BYTES;
  const packs = remotes + remoteCount * REMOTE_BYTES;
  const places = packs + packCount * PACK_BYTES;
  const listed = places + entryCount * PLACE_BYTES;
  if (listed + listedCount * LISTED_BYTES !== view.byteLength)
    throw damaged(RANGE_WHAT, "its locations do not make up its length");
  return { remotes, remoteCount, packCount, packs, places, listedCount, listed };
}

/** Identities of remotes, laid end to end. */
export function remotesAt(bytes: Buffer, start: number, count: number): RemoteId[] {
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * REMOTE_BYTES;
    return bytes.toString("hex", at, at + REMOTE_BYTES) as RemoteId;
  });
}

/** The SHA-256 stored at `at`. */
export function sha256At(bytes: Buffer, at: number): Sha256 {
  return bytes.toString("hex", at, at + 32) as Sha256;
}
