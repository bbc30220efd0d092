/**
 * What must be true of a root, and what a signature of a version covers: the outline of its tree, all that its root says but for where things lie. Who holds a tree's outline to be right is sure of
 * every entry, of every chunk, and that none is hidden, whatever ranges, packs and roots are put in the places of others.
 *
 * SHA-256 of "VVOL1", then for each range: identity, content hash, hash of its chunk lists, u32 length of its logical block,
 * u64 content bytes, u32 each files, directories, symbolic links, links, u32 length of its first key, the key.
 */
import type { Sha256 } from "../content/chunk.js";
import { sha256 } from "../content/hash.js";
import { DatasetError } from "../errors.js";
import { ByteWriter, damaged } from "./binary.js";
import { ROOT_WHAT } from "./root-layout.js";
import type { Root } from "./root.js";

const MAGIC = "VVOL1";

/** Undefined of a root that does not say which chunks its files consist of (format 1). Costs its ranges. */
export function outlineOf(root: Root): Sha256 | undefined {
  if (!root.saysChunks) return undefined;
  const writer = new ByteWriter(256 * (root.rangeCount + 1));
  writer.text(MAGIC);
  for (let number = 0; number < root.rangeCount; number++) {
    const { id, content, chunkLists, logicalBytes, totals, firstKey } = root.rangeAt(number);
    for (const hash of [id, content, chunkLists!]) writer.hex(hash);
    writer.u32(logicalBytes);
    writer.u64(totals.contentBytes);
    for (const count of [totals.files, totals.directories, totals.symlinks, totals.links]) writer.u32(count);
    writer.u32(firstKey.length);
    writer.text(firstKey);
  }
  return sha256(writer.written());
}

/** What is known of a tree before its root is read. */
export interface ExpectedTree {
  /** Tree digest and content digest. */
  tree: string | null;
  content: string | null;
  /** Where the version is signed and that counts. */
  outline?: string | undefined;
}

/** Gives back `root` when it is that of the tree expected. @throws {DatasetError} `format-damaged`; `untrusted` for another outline */
export function matchRoot(root: Root, { tree, content, outline }: ExpectedTree): Root {
  const isOther =
    (tree !== null && root.treeDigest !== tree) || (content !== null && root.contentDigest !== content);
  if (isOther) throw damaged(ROOT_WHAT, "it is not that of its version, whose digests are others");
  if (outline === undefined || outlineOf(root) === outline) return root;
  const message = "Cannot read the version: its root is not the one that was signed";
  throw new DatasetError("untrusted", { version: root.treeDigest }, message);
}
