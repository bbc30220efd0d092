/**
 * Reads a file of a snapshot: bytes of the base through the cache, local bytes from the data file, or from the clone
 * that was made before the data file changed. A live mount may change the data file at any moment; it says so in the
 * journal before it does, so bytes count once the journal, read after them, says nothing new about them.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { Block } from "../../cache/block.js";
import type { ContentReader, Holes } from "../../content/source.js";
import { errnoOf } from "../../errors.js";
import { type Entry, EntryType } from "../../manifest/entry.js";
import { type Content, linkedContent, packedContent } from "../content.js";
import { type Segment, type Span, segmentsOf, without } from "./spans.js";

/** A file of an overlay, to be read. `baseSpans` are the parts whose bytes are the base's, at the same place. */
export interface OverlaidContent extends ContentReader {
  readonly baseSpans: readonly Span[];
}

export type ReadBlock = (block: Block) => Promise<Uint8Array>;

/** All that a file is made of. */
export interface ContentParts {
  sizeBytes: number;
  holes: Holes | undefined;
  /** Where the local bytes are: all of the file, or the extents over its base. */
  local: readonly Span[];
  baseSizeBytes: number;
  base: Entry | undefined;
  readBlock: ReadBlock;
  dataPath: string;
  /** Of a live snapshot: the clone, and which bytes it holds by now. */
  clone: { path: string; spans: (span: Span) => Span[] } | undefined;
}

export function readerOf(parts: ContentParts): OverlaidContent {
  const { sizeBytes, holes, local, baseSizeBytes } = parts;
  const data = new LazyFile(parts.dataPath);
  const clone = parts.clone && { ...parts.clone, file: new LazyFile(parts.clone.path) };
  const base = parts.base && contentOf(parts.base);
  const segments = (span: Span): Segment[] => segmentsOf(local, baseSizeBytes, span);
  return {
    sizeBytes,
    holes,
    baseSpans: segments({ start: 0, end: sizeBytes }).filter(({ from }) => from === "base"),
    async read(start, end) {
      const bytes = Buffer.alloc(end - start);
      for (const segment of segments({ start, end })) {
        const target = bytes.subarray(segment.start - start, segment.end - start);
        if (segment.from === "base") await readBase(base!, parts.readBlock, segment, target);
        if (segment.from === "local") await readLocal(data, clone, segment, target);
      }
      return bytes;
    },
    async close() {
      await data.close();
      await clone?.file.close();
    },
  };
}

interface Clone {
  file: LazyFile;
  spans: (span: Span) => Span[];
}

async function readLocal(
  data: LazyFile,
  clone: Clone | undefined,
  span: Span,
  target: Buffer,
): Promise<void> {
  for (;;) {
    const cloned = clone?.spans(span) ?? [];
    for (const part of without(cloned, span)) await data.read(part, within(target, span, part));
    for (const { start, end } of cloned) {
      const part = { start: Math.max(start, span.start), end: Math.min(end, span.end) };
      await clone!.file.read(part, within(target, span, part));
    }
    if (sameSpans(cloned, clone?.spans(span) ?? [])) return;
  }
}

async function readBase(content: Content, readBlock: ReadBlock, span: Span, target: Buffer): Promise<void> {
  const last = content.indexAt(span.end - 1);
  for (let index = content.indexAt(span.start); index <= last; index++) {
    const start = content.startOf(index);
    const part = {
      start: Math.max(start, span.start),
      end: Math.min(content.startOf(index + 1), span.end),
    };
    const bytes = await readBlock(content.blockAt(index));
    within(target, span, part).set(bytes.subarray(part.start - start, part.end - start));
  }
}

/** What has bytes of the base is a file there, or an external one. */
function contentOf(base: Entry): Content | undefined {
  if (base.type === EntryType.file) return packedContent(base.chunks, false);
  return base.type === EntryType.link ? linkedContent(base) : undefined;
}

function within(target: Buffer, span: Span, part: Span): Buffer {
  return target.subarray(part.start - span.start, part.end - span.start);
}

function sameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ start, end }, index) => start === b[index]!.start && end === b[index]!.end)
  );
}

/** A file opened when it is first read; bytes that it does not have are zeros. */
class LazyFile {
  /** The promise is kept, not the handle: reads come side by side, and each would open the file again. */
  #opened: Promise<FileHandle | undefined> | undefined;

  constructor(private readonly path: string) {}

  async read({ start, end }: Span, target: Buffer): Promise<void> {
    const handle = await (this.#opened ??= openIfThere(this.path));
    let done = 0;
    while (handle && done < end - start) {
      const { bytesRead } = await handle.read(target, done, end - start - done, start + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    target.fill(0, done);
  }

  async close(): Promise<void> {
    const handle = await this.#opened;
    this.#opened = undefined;
    await handle?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
