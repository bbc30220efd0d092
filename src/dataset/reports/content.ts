/**
 * What is reported, checked at the border and made bytes: one function a kind. Pure. Limits keep a report something to
 * look at; what is larger belongs into the version as a file, or into its metadata.
 */
import { DatasetError } from "../../errors.js";
import { MiB } from "../../units.js";
import { mediaTypeOf } from "../metadata-value.js";
import { type Table } from "../tables/table.js";
import type { ReportKind } from "./report.js";

export interface ReportContent {
  kind: ReportKind;
  /** Media type. */
  type: string;
  bytes: Uint8Array;
}

export interface Histogram {
  /** One number a bar, or an array of them for each of several rows. */
  values: readonly number[] | readonly (readonly number[])[];
  xlabels?: readonly string[] | undefined;
  xaxis?: string | undefined;
  yaxis?: string | undefined;
}

/** A figure of Plotly. Source: https://plotly.com/chart-studio-help/json-chart-schema/ */
export interface PlotlyFigure {
  data: readonly object[];
  layout?: object | undefined;
}

export const REPORT_MAX_BYTES = 32 * MiB;
export const TABLE_MAX_ROWS = 10_000;
const JSON_TYPE = "application/json";

export function tableContent({ columns, rows }: Table): ReportContent {
  if (rows.length > TABLE_MAX_ROWS)
    throw refused(`a table of ${rows.length} rows: at most ${TABLE_MAX_ROWS} are taken; report a part of it`);
  return jsonContent("table", { columns, rows });
}

export function histogramContent({ values, xlabels, xaxis, yaxis }: Histogram): ReportContent {
  const rows: readonly (readonly unknown[])[] = values.every((each) => Array.isArray(each))
    ? values
    : [values];
  if (values.length === 0 || rows.some((row) => row.length === 0 || !row.every(isNumber)))
    throw refused("a histogram whose values are not all numbers");
  if (xlabels && rows.some((row) => row.length !== xlabels.length))
    throw refused(`a histogram of ${rows[0]?.length} values with ${xlabels.length} labels`);
  return jsonContent("histogram", { values, xlabels, xaxis, yaxis });
}

export function scalarContent(value: number): ReportContent {
  if (!isNumber(value)) throw refused("a scalar that is no finite number");
  return jsonContent("scalar", { value });
}

export function plotContent(figure: PlotlyFigure): ReportContent {
  const { data } = figure;
  if (!Array.isArray(data) || !data.every((trace) => typeof trace === "object" && trace !== null))
    throw refused("a plot without `data`, an array of traces");
  return jsonContent("plot", figure);
}

export function textContent(text: string): ReportContent {
  return sized({ kind: "text", type: "text/plain", bytes: Buffer.from(text) });
}

/**
 * A picture, sound, film or page.
 *
 * @param name Tells the media type by its ending, where neither `type` nor the first bytes do.
 * @param kinds What it may be.
 */
export function mediaContent(
  bytes: Uint8Array,
  { type, name = "" }: { type?: string | undefined; name?: string | undefined },
  kinds: readonly ReportKind[],
): ReportContent {
  const known = type ?? mediaTypeOf(name) ?? typeOfBytes(bytes);
  const kind = known === undefined ? undefined : kindOfType(known);
  if (known === undefined || kind === undefined || !kinds.includes(kind))
    throw refused(
      `${known ?? "bytes of a kind nobody knows"} as ${kinds.join(", ")}: \`type\` says what it is`,
    );
  if (kind === "image" && isOtherImage(bytes, known)) throw refused(`a picture that is not ${known}`);
  return sized({ kind, type: known, bytes });
}

/** What a media type is shown as; undefined for one that is no picture, sound, film or page. */
export function kindOfType(type: string): "image" | "audio" | "video" | "html" | undefined {
  const [family] = type.split("/");
  if (type.startsWith("text/html")) return "html";
  return (["image", "audio", "video"] as const).find((kind) => kind === family);
}

const FIRST_BYTES: readonly [type: string, offset: number, bytes: string][] = [
  ["image/png", 0, "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", 0, "\xff\xd8\xff"],
  ["image/gif", 0, "GIF8"],
  ["image/webp", 8, "WEBP"],
  ["image/bmp", 0, "BM"],
  ["image/tiff", 0, "II*\0"],
  ["image/tiff", 0, "MM\0*"],
  ["audio/wav", 8, "WAVE"],
  ["audio/ogg", 0, "OggS"],
  ["audio/flac", 0, "fLaC"],
  ["audio/mpeg", 0, "ID3"],
  ["video/mp4", 4, "ftyp"],
  ["video/webm", 0, "\x1aE\xdf\xa3"],
];

function typeOfBytes(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 16)).toString("latin1");
  return FIRST_BYTES.find(([, offset, wanted]) => start.startsWith(wanted, offset))?.[0];
}

/** Only where the first bytes say what it is instead. */
function isOtherImage(bytes: Uint8Array, type: string): boolean {
  const told = typeOfBytes(bytes);
  return told !== undefined && told !== type && FIRST_BYTES.some(([known]) => known === type);
}

function jsonContent(kind: ReportKind, value: object): ReportContent {
  return sized({ kind, type: JSON_TYPE, bytes: Buffer.from(JSON.stringify(value)) });
}

function sized(content: ReportContent): ReportContent {
  if (content.bytes.length <= REPORT_MAX_BYTES) return content;
  throw refused(
    `${content.bytes.length} bytes: at most ${REPORT_MAX_BYTES} are taken; add it to the version as a file`,
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function refused(what: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: what }, `Cannot report ${what}`);
}
