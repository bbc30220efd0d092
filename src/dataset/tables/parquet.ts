/** The first rows of a Parquet file. The library that reads the format is loaded when the first such file is read. */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type Table, tableOf } from "./table.js";

/** Bytes that can be read by range. */
export interface ByteSource {
  sizeBytes: number;
  /** The bytes `[start, end)`; fewer at the end. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** @throws {Error} for what is no Parquet file, is compressed in a way nobody here knows, or needs more bytes */
export async function readParquet(
  source: ByteSource,
  { maxRows, maxBytes }: { maxRows: number; maxBytes: number },
): Promise<Table> {
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import("hyparquet");
  let readBytes = 0;
  const file = {
    byteLength: source.sizeBytes,
    async slice(start: number, end: number = source.sizeBytes) {
      const from = start < 0 ? source.sizeBytes + start : start;
      readBytes += Math.max(0, end - from);
      if (readBytes > maxBytes) throw new Error(`its first ${maxRows} rows need more than ${maxBytes} bytes`);
      const bytes = await source.read(from, end);
      return new Uint8Array(bytes).buffer;
    },
  };
  const metadata = await parquetMetadataAsync(file);
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  const rows = await parquetReadObjects({
    file,
    metadata,
    rowStart: 0,
    rowEnd: maxRows,
    compressors: compressors(maxBytes),
  });
  return tableOf(rows, columns);
}

/** Beside Snappy, which the library knows: what Node has, to a bound. Zstandard comes with Node 22. */
function compressors(maxOutputLength: number) {
  return {
    GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes, { maxOutputLength })),
    BROTLI: (bytes: Uint8Array) => new Uint8Array(brotliDecompressSync(bytes, { maxOutputLength })),
  };
}
