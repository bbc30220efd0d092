/** A small table in memory: columns by name, rows of plain values. Pure; where one is read from is `read-table.ts`. */
import { DatasetError } from "../../errors.js";
import { lineOf } from "./csv.js";

export type Cell = string | number | boolean | null;

export interface Table {
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** Rows as programs have them: objects by column, or arrays, the first being the names where `columns` are not given. */
export type TableRows = readonly Readonly<Record<string, unknown>>[] | readonly (readonly unknown[])[];

/** @throws {DatasetError} `bad-input` for rows that are neither objects nor arrays */
export function tableOf(rows: TableRows, columns?: readonly string[]): Table {
  const given = rows as readonly unknown[];
  if (given.every((row) => Array.isArray(row))) return tableOfArrays(given as unknown[][], columns);
  if (given.every((row) => typeof row === "object" && row !== null && !Array.isArray(row)))
    return tableOfObjects(given as Record<string, unknown>[], columns);
  const message = "Cannot take the rows of the table: each is to be an object, or each an array";
  throw new DatasetError("bad-input", { value: "rows" }, message);
}

/** With the names as first line, as CSV. */
export function csvOf({ columns, rows }: Table): string {
  const lines = [columns, ...rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))))];
  return lines.map((cells) => `${lineOf(cells)}\n`).join("");
}

/** A value as a cell: what JSON has no word for is told in text. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return textOfValue(value);
}

function textOfValue(value: unknown): string {
  const replaced = (_: string, each: unknown) => (typeof each === "bigint" ? String(each) : each);
  return typeof value === "object" ? JSON.stringify(value, replaced) : typeof value;
}

function tableOfArrays(rows: readonly (readonly unknown[])[], columns?: readonly string[]): Table {
  const names = columns ?? (rows[0] ?? []).map((name) => String(cellOf(name) ?? ""));
  const body = columns ? rows : rows.slice(1);
  return { columns: [...names], rows: body.map((row) => names.map((_, index) => cellOf(row[index]))) };
}

function tableOfObjects(
  rows: readonly Readonly<Record<string, unknown>>[],
  columns?: readonly string[],
): Table {
  const names = columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return { columns: [...names], rows: rows.map((row) => names.map((name) => cellOf(row[name]))) };
}
