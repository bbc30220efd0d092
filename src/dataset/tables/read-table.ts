/**
 * Reads the first rows of a table file: CSV, TSV, JSON, JSON lines, Parquet, the first four compressed by gzip too. Costs
 * at most the limit of bytes given, of a Parquet file its footer and the pages of those rows.
 */
import { open } from "node:fs/promises";
import { constants, createGunzip } from "node:zlib";
import { DatasetError, messageOf } from "../../errors.js";
import { MiB } from "../../units.js";
import { SeparatedValues, valueOfCell } from "./csv.js";
import { type ByteSource, readParquet } from "./parquet.js";
import { type Table, type TableRows, tableOf } from "./table.js";

export interface ReadTableOptions {
  /** Rows taken from the start. */
  maxRows: number;
  /** Bytes read. Default 32 MiB. */
  maxBytes?: number | undefined;
}

const DEFAULT_MAX_BYTES = 32 * MiB;

export type TableKind = "csv" | "tsv" | "json" | "jsonl" | "parquet";

/** Which kind of table the ending of a name tells, and whether it is compressed; undefined for what is none. */
export function tableKindOf(name: string): { kind: TableKind; gzip: boolean } | undefined {
  const [, ending, gz] = /\.(csv|tsv|json|jsonl|ndjson|parquet)(\.gz)?$/i.exec(name) ?? [];
  if (ending === undefined) return undefined;
  const kind = ending.toLowerCase().replace("ndjson", "jsonl") as TableKind;
  return kind === "parquet" && gz !== undefined ? undefined : { kind, gzip: gz !== undefined };
}

/** The first rows of a file. @throws {DatasetError} `source-unreadable` where it is no such table, or needs more bytes */
export async function readTableFile(path: string, name: string, options: ReadTableOptions): Promise<Table> {
  const kind = tableKindOf(name);
  if (!kind) throw unreadable(name, "its ending is none of .csv, .tsv, .json, .jsonl and .parquet");
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(name, messageOf(cause), cause);
  });
  try {
    const { size: sizeBytes } = await file.stat();
    const read = async (start: number, end: number) => {
      const target = new Uint8Array(Math.max(0, Math.min(end, sizeBytes) - start));
      const { bytesRead } = await file.read(target, 0, target.length, start);
      return target.subarray(0, bytesRead);
    };
    return await readTable({ sizeBytes, read }, kind, options);
  } catch (cause) {
    throw unreadable(name, messageOf(cause), cause);
  } finally {
    await file.close();
  }
}

/** The first rows of a table, wherever its bytes lie. @throws {Error} where it is no such table, or needs more bytes */
export async function readTable(
  source: ByteSource,
  { kind, gzip }: { kind: TableKind; gzip: boolean },
  { maxRows, maxBytes = DEFAULT_MAX_BYTES }: ReadTableOptions,
): Promise<Table> {
  if (kind === "parquet") return readParquet(source, { maxRows, maxBytes });
  const stored = await source.read(0, maxBytes);
  const isWhole = stored.length === source.sizeBytes;
  const bytes = gzip ? await gunzipStart(stored, maxBytes) : stored;
  const text = Buffer.from(bytes)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  const wholeText = isWhole && !(gzip && bytes.length === maxBytes);
  if (kind === "json") return tableOfJson(text, wholeText, maxRows);
  if (kind === "jsonl") return tableOf(jsonLines(wholeLines(text, wholeText), maxRows));
  return separatedTable(text, wholeText, kind === "tsv" ? "\t" : ",", maxRows);
}

function separatedTable(text: string, isWhole: boolean, separator: string, maxRows: number): Table {
  const values = new SeparatedValues(separator);
  const records: string[][] = [];
  for (const record of values.push(text)) if (records.push(record) > maxRows) break;
  if (records.length <= maxRows && isWhole) records.push(...values.finish());
  const [columns = [], ...rows] = records;
  return tableOf(
    rows.map((row) => row.map((cell) => valueOfCell(cell) ?? null)),
    columns,
  );
}

function tableOfJson(text: string, isWhole: boolean, maxRows: number): Table {
  if (!isWhole) throw new Error("it is larger than what may be read of it");
  const value: unknown = JSON.parse(text);
  const rows = Array.isArray(value) ? (value as unknown[]) : [value];
  if (!rows.every((row) => typeof row === "object" && row !== null)) throw new Error("it holds no rows");
  return tableOf(rows.slice(0, maxRows) as TableRows);
}

function jsonLines(text: string, maxRows: number): TableRows {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, maxRows).map((line) => JSON.parse(line) as Record<string, unknown>);
}

function wholeLines(text: string, isWhole: boolean): string {
  return isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1);
}

/** What the start of a compressed file gives: no more bytes than the limit, and no failure where it is cut off. */
async function gunzipStart(stored: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  gunzip.end(stored);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of gunzip as AsyncIterable<Uint8Array>) {
    parts.push(part);
    bytes += part.length;
    if (bytes >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}

function unreadable(path: string, problem: string, cause?: unknown): DatasetError<"source-unreadable"> {
  const message = `Cannot read "${path}" as a table: ${problem}`;
  return new DatasetError("source-unreadable", { path }, message, { cause });
}
