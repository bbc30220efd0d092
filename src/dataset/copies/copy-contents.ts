/**
 * Where the bytes of a copy come from: what the cache holds, else the remotes. What is fetched for a copy goes into the
 * copy alone: to keep it in the cache too would take the room twice and push out what others read.
 */
import type { Block } from "../../cache/block.js";
import type { Cache } from "../../cache/cache.js";
import { DatasetError, isDatasetError } from "../../errors.js";
import { type Content, blocksOf, linkedContent, packedContent } from "../../fs/content.js";
import { type Entry, EntryType, type FileEntry, type LinkEntry } from "../../manifest/entry.js";
import { textOf } from "../../paths.js";

export type ContentEntry = FileEntry | LinkEntry;

export function isContent(entry: Entry): entry is ContentEntry {
  return entry.type === EntryType.file || entry.type === EntryType.link;
}

export function contentOf(entry: ContentEntry): Content {
  return entry.type === EntryType.link ? linkedContent(entry) : packedContent(entry.chunks, false);
}

/**
 * The contents of small entries, end to end; what is no file has none.
 *
 * @throws {DatasetError} what the cache throws; of an external file, named
 */
export async function readContents(
  cache: Cache,
  entries: readonly Entry[],
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const files = entries.filter(isContent);
  const blocks = files.map((file) => blocksOf(contentOf(file)));
  const read = async (file: ContentEntry, index: number) => {
    if (file.type === EntryType.link) return readBlocks(cache, file, blocks[index]!, signal);
  };
  const links = await Promise.all(files.map(read));
  const packed = await cache.readMany(
    files.flatMap((file, index) => (file.type === EntryType.link ? [] : blocks[index]!)),
    { signal, keep: false },
  );
  const together = new Uint8Array(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const next = packed.values();
  let at = 0;
  files.forEach((_, index) => {
    for (const bytes of links[index] ?? blocks[index]!.map(() => next.next().value!)) {
      together.set(bytes, at);
      at += bytes.length;
    }
  });
  return together;
}

/** Blocks of one entry. @throws {DatasetError} as `readContents` */
export async function readBlocks(
  cache: Cache,
  entry: ContentEntry,
  blocks: readonly Block[],
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  try {
    return await cache.readMany(blocks, { signal, keep: false });
  } catch (error) {
    throw entry.type === EntryType.link && isDatasetError(error) ? ofLink(entry, error) : error;
  }
}

function ofLink({ path }: LinkEntry, cause: DatasetError): DatasetError {
  const message = `Cannot copy "${textOf(path)}", an external file: ${cause.message}`;
  return new DatasetError(cause.code, cause.data, message, { cause });
}
