/** What reports on a version: each call checks what it is given, stores the content beside the data, and notes the report. */
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { DatasetError, messageOf } from "../../errors.js";
import { checkMetadataName } from "../metadata-value.js";
import { readTableFile } from "../tables/read-table.js";
import { type TableRows, tableOf } from "../tables/table.js";
import {
  type Histogram,
  type PlotlyFigure,
  REPORT_MAX_BYTES,
  type ReportContent,
  TABLE_MAX_ROWS,
  histogramContent,
  mediaContent,
  plotContent,
  scalarContent,
  tableContent,
  textContent,
} from "./content.js";
import type { Report, ReportFacts, ReportKind } from "./report.js";

export interface ReportName {
  title: string;
  /** Default: the title. */
  series?: string | undefined;
  /** A whole number from 0 on. Default 0. */
  iteration?: number | undefined;
}

/** Rows, or a file: CSV, TSV, JSON, JSON lines (each also `.gz`) or Parquet, told apart by its ending. */
export type TableReport = ReportName & { rows?: TableRows; columns?: readonly string[] } & {
  csv?: string;
  tsv?: string;
  parquet?: string;
  path?: string;
};

/** A file, or its bytes. */
export type MediaReport = ReportName & {
  path?: string;
  bytes?: Uint8Array;
  /** Media type. Default: by the ending, else by the first bytes. */
  type?: string;
};

/** Stores a report's content and notes it. */
export type KeepReport = (facts: ReportFacts, content: Uint8Array) => Promise<Report>;

/** Made by `dataset.getLogger()`. @throws {DatasetError} `bad-input`, `source-unreadable`, `version-final`, in every call */
export class VersionLogger {
  constructor(private readonly keep: KeepReport) {}

  /** At most 10,000 rows. */
  async reportTable(report: TableReport): Promise<Report> {
    const { rows, columns } = report;
    const path = report.csv ?? report.tsv ?? report.parquet ?? report.path;
    if ((rows === undefined) === (path === undefined)) throw notOne("rows or a file");
    const table =
      path === undefined
        ? tableOf(rows ?? [], columns)
        : await readTableFile(path, namedAs(path, report), { maxRows: TABLE_MAX_ROWS + 1 });
    return this.#report(report, tableContent(table));
  }

  /** Bars: a value for each of `xlabels`, or one or more rows of values. @throws {DatasetError} `bad-input` */
  async reportHistogram(report: ReportName & Histogram): Promise<Report> {
    return this.#report(report, histogramContent(report));
  }

  /** A number, perhaps one of a row by `iteration`. @throws {DatasetError} `bad-input` */
  async reportScalar(report: ReportName & { value: number }): Promise<Report> {
    return this.#report(report, scalarContent(report.value));
  }

  /** A figure of Plotly: `{data, layout}`. */
  async reportPlot(report: ReportName & { figure: PlotlyFigure }): Promise<Report> {
    return this.#report(report, plotContent(report.figure));
  }

  /** Plain text, shown as it is. */
  async reportText(report: ReportName & { text: string }): Promise<Report> {
    return this.#report(report, textContent(report.text));
  }

  /** At most 32 MiB. */
  async reportImage(report: MediaReport): Promise<Report> {
    return this.#media(report, ["image"]);
  }

  /** Sound, film, a page of HTML or a picture, at most 32 MiB. */
  async reportMedia(report: MediaReport): Promise<Report> {
    return this.#media(report, ["audio", "video", "html", "image"]);
  }

  async #media(report: MediaReport, kinds: readonly ReportKind[]): Promise<Report> {
    const { path, bytes, type } = report;
    if ((path === undefined) === (bytes === undefined)) throw notOne("a path or bytes");
    const content = bytes ?? (await readMedia(path ?? ""));
    return this.#report(report, mediaContent(content, { type, name: path && basename(path) }, kinds));
  }

  #report({ title, series = title, iteration = 0 }: ReportName, content: ReportContent): Promise<Report> {
    const { kind, type, bytes } = content;
    if (!Number.isSafeInteger(iteration) || iteration < 0) throw noIteration(iteration);
    const name = { title: checkMetadataName(title), series: checkMetadataName(series) };
    return this.keep({ kind, ...name, iteration, reportedAtMs: Date.now(), type }, bytes);
  }
}

/** A file given as CSV is read as such, whatever its ending. */
function namedAs(path: string, { csv, tsv, parquet }: TableReport): string {
  const gz = path.endsWith(".gz") ? ".gz" : "";
  if (csv !== undefined) return `${path}.csv${gz}`;
  if (tsv !== undefined) return `${path}.tsv${gz}`;
  return parquet === undefined ? path : `${path}.parquet`;
}

async function readMedia(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > REPORT_MAX_BYTES)
      throw new Error(`it has ${size} bytes, at most ${REPORT_MAX_BYTES} are taken`);
    return await readFile(path);
  } catch (cause) {
    const message = `Cannot read "${path}" for a report: ${messageOf(cause)}`;
    throw new DatasetError("source-unreadable", { path }, message, { cause });
  }
}

function notOne(what: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: "report" }, `Cannot report: give ${what}, one of the two`);
}

function noIteration(iteration: number): DatasetError<"bad-input"> {
  const message = `Cannot report iteration ${iteration}: it is to be a whole number, 0 or more`;
  return new DatasetError("bad-input", { value: String(iteration) }, message);
}
