/** Tables that previews and metadata of files are read from. */
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";

import { readTable } from "../../src/dataset/tables/read-table.js";
import { csvOf } from "../../src/dataset/tables/table.js";
import type { Decoder } from "./fuzz.js";

const CSV = 'name,width\n"a, b",3\r\n"say ""hi""",\n';
const JSONL = '{"name":"a","width":3}\n{"name":null,"tags":[1,{"x":2}]}\n';

export function tableDecoders(): Decoder[] {
  const isClear = (error: unknown) => error instanceof Error; // `readTableFile` and previews say in one sentence what came of it.
  const of =
    (kind: "csv" | "tsv" | "json" | "jsonl" | "parquet", gzip: boolean) => async (bytes: Uint8Array) => {
      const read = (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));
      csvOf(
        await readTable(
          { sizeBytes: bytes.length, read },
          { kind, gzip },
          { maxRows: 50, maxBytes: 1 << 20 },
        ),
      );
    };
  return [
    { name: "CSV", samples: [Buffer.from(CSV)], decode: of("csv", false), isClear },
    {
      name: "CSV, compressed",
      samples: [gzipSync(CSV), gzipSync(Buffer.alloc(3_000_000, "a,b\n"))],
      decode: of("csv", true),
      isClear,
    },
    {
      name: "JSON table",
      json: true,
      samples: [Buffer.from('[{"a":1},{"a":[2,{"b":null}]}]')],
      decode: of("json", false),
      isClear,
    },
    { name: "JSON lines", samples: [Buffer.from(JSONL)], decode: of("jsonl", false), isClear },
    {
      name: "Parquet",
      samples: [parquet("SNAPPY"), parquet("UNCOMPRESSED")],
      decode: of("parquet", false),
      isClear,
    },
  ];
}

function parquet(codec: "SNAPPY" | "UNCOMPRESSED"): Uint8Array {
  const rows = Array.from({ length: 40 }, (_, at) => at);
  const columnData = [
    { name: "name", data: rows.map((at) => `name ${at % 5}`), type: "STRING" as const },
    { name: "width", data: rows.map((at) => at * 1.5), type: "DOUBLE" as const },
    {
      name: "ok",
      data: rows.map((at) => (at % 3 === 0 ? null : at % 2 === 0)),
      type: "BOOLEAN" as const,
      nullable: true,
    },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData, codec }));
}
