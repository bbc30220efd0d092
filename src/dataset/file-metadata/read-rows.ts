/** Metadata of many files from a file: JSON lines, or CSV and TSV with a header; a column `path` names the file each is about. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { DatasetError, messageOf } from "../../errors.js";
import { SeparatedValues, valueOfCell } from "../tables/csv.js";
import type { FileMetadataItem } from "./file-metadata.js";

/**
 * The items of a file, as they are read. An empty cell says nothing; numbers, `true` and `false` are values as such.
 *
 * @throws {DatasetError} `bad-input` for what has no column `path`; `source-unreadable`
 */
export async function* readItems(path: string): AsyncGenerator<FileMetadataItem> {
  const [, ending = ""] = /\.([a-z]+)$/i.exec(path) ?? [];
  const lines = ["jsonl", "ndjson", "json"].includes(ending.toLowerCase());
  try {
    if (lines) yield* itemsOfJsonLines(path);
    else yield* itemsOfCsv(path, ending.toLowerCase() === "tsv" ? "\t" : ",");
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    const message = `Cannot read "${path}" as metadata of files: ${messageOf(error)}`;
    throw new DatasetError("source-unreadable", { path }, message, { cause: error });
  }
}

async function* itemsOfJsonLines(path: string): AsyncGenerator<FileMetadataItem> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() === "") continue;
    const { path: file, ...fields } = parseLine(path, number, line);
    if (typeof file !== "string") throw noPath(path, `line ${number} has no "path"`);
    yield { path: file, fields };
  }
}

function parseLine(path: string, number: number, line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw noPath(path, `line ${number} is no JSON object`);
}

async function* itemsOfCsv(path: string, separator: string): AsyncGenerator<FileMetadataItem> {
  const values = new SeparatedValues(separator);
  const header: string[] = [];
  const itemsOf = function* (records: Iterable<string[]>): Generator<FileMetadataItem> {
    for (const record of records)
      if (header.length === 0) header.push(...checkHeader(path, record));
      else yield itemOf(header, record);
  };
  for await (const text of createReadStream(path, "utf8")) yield* itemsOf(values.push(String(text)));
  yield* itemsOf(values.finish());
  if (header.length === 0) throw noPath(path, "it is empty");
}

function checkHeader(path: string, [first = "", ...others]: string[]): string[] {
  const header = [first.replace(/^\uFEFF/, ""), ...others];
  if (header.includes("path")) return header;
  throw noPath(path, `its columns are ${header.map((name) => JSON.stringify(name)).join(", ")}`);
}

function itemOf(header: readonly string[], record: readonly string[]): FileMetadataItem {
  const cells = header.map((name, index) => [name, record[index] ?? ""] as const);
  const fields = cells.flatMap(([name, cell]) => {
    const value = name === "path" ? undefined : valueOfCell(cell);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { path: record[header.indexOf("path")] ?? "", fields: Object.fromEntries(fields) };
}

function noPath(path: string, problem: string): DatasetError<"bad-input"> {
  const message = `Cannot read "${path}" as metadata of files: a column "path" is to name each file, and ${problem}`;
  return new DatasetError("bad-input", { value: path }, message);
}
