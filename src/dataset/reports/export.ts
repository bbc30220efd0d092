/** Reports as files in a folder: content under safe names, tables as CSV too, and `index.json`, which says what is what. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Table, csvOf } from "../tables/table.js";
import type { Report } from "./report.js";

/** A report, and the files that hold its content. */
export type ExportedReport = ShownReport & { files: string[] };
export type ShownReport = Omit<Report, "isFile" | "value" | "attachment">;

const NAME_CHARS = 60;

const ENDING_OF_TYPE: ReadonlyMap<string, string> = new Map([
  ["application/json", "json"],
  ["text/plain", "txt"],
  ["text/html", "html"],
  ["image/png", "png"],
  ["image/jpeg", "jpg"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
  ["image/svg+xml", "svg"],
  ["image/bmp", "bmp"],
  ["image/tiff", "tiff"],
  ["audio/wav", "wav"],
  ["audio/mpeg", "mp3"],
  ["audio/ogg", "ogg"],
  ["audio/flac", "flac"],
  ["audio/mp4", "m4a"],
  ["video/mp4", "mp4"],
  ["video/webm", "webm"],
  ["video/quicktime", "mov"],
  ["video/x-matroska", "mkv"],
]);

/** Writes them; what the folder holds under those names is replaced. Gives what `index.json` says. */
export async function exportReports(
  reports: readonly Report[],
  read: (report: Report) => Promise<Uint8Array>,
  folder: string,
): Promise<ExportedReport[]> {
  await mkdir(folder, { recursive: true });
  const exported: ExportedReport[] = [];
  for (const [index, report] of reports.entries()) {
    const files = filesOf(report, report.problem === undefined ? await read(report) : undefined, index);
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
    exported.push({ ...shownReport(report), files: files.map(([name]) => name) });
  }
  await writeFile(
    join(folder, "index.json"),
    `${JSON.stringify({ format: 1, reports: exported }, null, 1)}\n`,
  );
  return exported;
}

/** A report without where its content lies. */
export function shownReport(report: Report): ShownReport {
  const shown = { ...report };
  delete shown.isFile;
  delete shown.value;
  delete shown.attachment;
  return shown;
}

function filesOf(
  report: Report,
  content: Uint8Array | undefined,
  index: number,
): [string, Uint8Array | string][] {
  if (!content) return [];
  const name = `${String(index + 1).padStart(3, "0")}-${safe(report.title)}${report.series === report.title ? "" : `-${safe(report.series)}`}`;
  const ending = ENDING_OF_TYPE.get(report.type.split(";")[0]!.trim()) ?? "bin";
  const file: [string, Uint8Array] = [`${name}.${ending}`, content];
  if (report.kind !== "table") return [file];
  return [file, [`${name}.csv`, csvOf(JSON.parse(Buffer.from(content).toString("utf8")) as Table)]];
}

/** What every file system takes as part of a name, and no shell as an option or a path. */
function safe(text: string): string {
  const kept = text.normalize("NFKD").replaceAll(/[^A-Za-z0-9._-]+/g, "_");
  return kept.slice(0, NAME_CHARS).replace(/^[._-]+/, "") || "untitled";
}
