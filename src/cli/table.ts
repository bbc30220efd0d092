/** Rows of text as aligned columns. It lays out; what a cell says is made in `format.ts`. */
import { PLAIN, type Style } from "./style.js";
import { fit, widthOf } from "./text-width.js";

export interface Column {
  title: string;
  /** Numbers and sizes go right. Default `left`. */
  align?: "left" | "right";
  /** Shortened, the widest such column first, when the table is wider than the terminal. Default false. */
  shrinks?: boolean;
}

export interface TableOptions {
  /** Most columns a line may take, usually the terminal's. Default: as many as the cells need. */
  widthColumns?: number | undefined;
  style?: Style;
}

const GAP = "  ";
/** Below this a shortened cell says nothing any more. */
const LEAST_WIDTH = 8;

/**
 * The table as lines, without a line end after the last: titles, then one line a row. No rows give no lines.
 *
 * @param rows Cells in the order of `columns`, without control characters; a missing one is empty.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { widthColumns = Infinity, style = PLAIN }: TableOptions = {},
): string {
  if (rows.length === 0) return "";
  const widths = shrink(columns, naturalWidths(columns, rows), widthColumns);
  const lineOf = (cells: readonly string[]) => layOut(columns, widths, cells);
  return [style.bold(lineOf(columns.map(({ title }) => title))), ...rows.map(lineOf)].join("\n");
}

/** Names and values, one a line, the values aligned: what `show` commands print. */
export function renderFacts(facts: readonly (readonly [string, string])[], style: Style = PLAIN): string {
  const width = Math.max(0, ...facts.map(([name]) => widthOf(name)));
  return facts.map(([name, value]) => `${style.dim(padded(name, width, "left"))}${GAP}${value}`).join("\n");
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  const widths = columns.map(({ title }) => widthOf(title));
  for (const row of rows)
    widths.forEach((width, index) => (widths[index] = Math.max(width, widthOf(row[index] ?? ""))));
  return widths;
}

/** Takes columns from the widest that may shrink until the line fits or none can give more. */
function shrink(columns: readonly Column[], widths: readonly number[], limit: number): number[] {
  const result = [...widths];
  let excess = sum(result) + GAP.length * (columns.length - 1) - limit;
  while (excess > 0) {
    const [widest, next] = widestShrinking(columns, result);
    if (widest === undefined) break;
    const taken = Math.min(excess, Math.max(1, result[widest]! - Math.max(next, LEAST_WIDTH)));
    result[widest]! -= taken;
    excess -= taken;
  }
  return result;
}

/** The index of the widest column that can still give, and the width of the one after it. */
function widestShrinking(
  columns: readonly Column[],
  widths: readonly number[],
): [number | undefined, number] {
  const candidates = widths
    .map((width, index) => ({ width, index }))
    .filter(({ width, index }) => columns[index]?.shrinks === true && width > LEAST_WIDTH)
    .sort((a, b) => b.width - a.width);
  return [candidates[0]?.index, candidates[1]?.width ?? 0];
}

function layOut(columns: readonly Column[], widths: readonly number[], cells: readonly string[]): string {
  const line = columns.map(({ align = "left" }, index) => {
    const width = widths[index] ?? 0;
    return padded(fit(cells[index] ?? "", width), width, align);
  });
  return line.join(GAP).trimEnd();
}

function padded(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "left" ? text + space : space + text;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
