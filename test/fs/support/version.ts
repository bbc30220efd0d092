/** Puts a version into a remote from a list of files, as a commit would: one pack, ranges, a root. */
import { createHash } from "node:crypto";

import type { Block } from "../../../src/cache/block.js";
import {
  type Chunk,
  Codec,
  EMPTY_SHA256,
  type RemoteId,
  type Sha256,
  packKey,
} from "../../../src/content/chunk.js";
import { type Entry, EntryType } from "../../../src/manifest/entry.js";
import { comparePaths, cutsAfter, keyOf, weightOf } from "../../../src/manifest/key.js";
import { encodeRange } from "../../../src/manifest/range.js";
import { rangeKey } from "../../../src/manifest/range-ref.js";
import { encodeRoot } from "../../../src/manifest/root.js";
import type { TreePath } from "../../../src/paths.js";
import type { Remote } from "../../../src/remote/remote.js";
import { MiB } from "../../../src/units.js";

/** One entry of a version to be made. Paths are byte strings. */
export interface Item {
  path: string;
  /** Content of a file, target of a symbolic link; absent for a directory. */
  content?: Uint8Array;
  target?: string;
  mode?: number;
  mtimeSec?: number;
  mtimeNsec?: number;
  uid?: number;
  gid?: number;
  xattrs?: ReadonlyMap<string, Uint8Array>;
  holes?: [number, number][];
  hardLinks?: string[];
}

const CHUNK_BYTES = 1 * MiB;

/** Stores a version of these items and a root directory; gives the block of its root. */
export async function putVersion(remote: Remote, id: RemoteId, items: readonly Item[]): Promise<Block> {
  const sorted = [{ path: "" }, ...items].sort((a, b) =>
    comparePaths(a.path as TreePath, b.path as TreePath),
  );
  const entries = await putContent(remote, id, sorted);
  const ranges = cut(entries).map((run) => encodeRange(run, id));
  for (const range of ranges) await remote.put(rangeKey(range.object), range.bytes);
  const root = encodeRoot({ remote: id, ranges, segments: [] });
  const key = "roots/test/0";
  await remote.put(key, root);
  const sizes = { sizeBytes: root.length, storedBytes: root.length };
  return { hash: sha256(root), remote: id, key, offset: 0, codec: Codec.raw, ...sizes };
}

/** All content goes into one pack, in the order of the tree. */
async function putContent(remote: Remote, id: RemoteId, items: readonly Item[]): Promise<Entry[]> {
  const pack = Buffer.concat(items.flatMap(({ content }) => content ?? []));
  const packId = sha256(pack);
  await remote.put(packKey(packId), pack);
  let offset = 0;
  return items.map((item) => {
    const start = offset;
    offset += item.content?.length ?? 0;
    return entryOf(item, (from, to) => {
      const bytes = pack.subarray(start + from, start + to);
      const place = {
        remote: id,
        pack: packId,
        offset: start + from,
        storedBytes: bytes.length,
        codec: Codec.raw,
      };
      return { hash: sha256(bytes), sizeBytes: bytes.length, ...place };
    });
  });
}

function entryOf(item: Item, chunkOf: (from: number, to: number) => Chunk): Entry {
  const { content, target, mode = content ? 0o644 : 0o755, mtimeSec = 1_000_000_000, mtimeNsec = 0 } = item;
  const { uid = 0, gid = 0, xattrs } = item;
  const common = {
    path: item.path as TreePath,
    mode,
    mtimeSec,
    mtimeNsec,
    uid,
    gid,
    ...(xattrs && { xattrs }),
  };
  if (target !== undefined) return { ...common, mode: 0o777, type: EntryType.symlink, target };
  if (!content) return { ...common, type: EntryType.directory };
  const { holes, hardLinks } = item;
  const chunks: Chunk[] = [];
  for (let from = 0; from < content.length; from += CHUNK_BYTES)
    chunks.push(chunkOf(from, Math.min(from + CHUNK_BYTES, content.length)));
  const hash = content.length === 0 ? EMPTY_SHA256 : sha256(content);
  const links = hardLinks && { hardLinks: hardLinks as TreePath[] };
  const file = { sizeBytes: content.length, sha256: hash, chunks, ...(holes && { holes }), ...links };
  return { ...common, type: EntryType.file, ...file };
}

function cut(entries: readonly Entry[]): Entry[][] {
  const runs: Entry[][] = [[]];
  let weight = 0;
  for (const entry of entries) {
    const run = runs.at(-1)!;
    run.push(entry);
    weight += weightOf(entry, keyOf(entry.path));
    if (!cutsAfter(keyOf(entry.path), run.length, weight)) continue;
    runs.push([]);
    weight = 0;
  }
  return runs.filter((run) => run.length > 0);
}

export function sha256(bytes: Uint8Array): Sha256 {
  return createHash("sha256").update(bytes).digest("hex") as Sha256;
}
