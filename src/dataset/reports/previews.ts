/**
 * Previews that nobody asked for: the first rows of the first tables of an upload, and its first media. Media are files of
 * the version already, so their report names the file and costs nothing. A table that cannot be read is noted, and nothing here
 * fails a commit.
 */
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { ContentReader } from "../../content/store.js";
import { isDatasetError, messageOf } from "../../errors.js";
import { EntryType, type FileEntry } from "../../manifest/entry.js";
import { bufferOf, pathOfText } from "../../paths.js";
import type { Draft } from "../draft.js";
import { mediaTypeOf } from "../metadata-value.js";
import type { ByteSource } from "../tables/parquet.js";
import { readTable, tableKindOf } from "../tables/read-table.js";
import type { Cell, Table } from "../tables/table.js";
import type { Candidate, Limits } from "./candidates.js";
import { tableContent } from "./content.js";
import { type Report, type ReportFacts, keepReport } from "./report.js";

/** Opens a file of the overlay that is being committed. */
type OpenOverlaid = (ino: number) => Promise<ContentReader>;

const CELL_CHARS = 500;
const COLUMNS = 200;

/** The fact of a draft that names the candidates. */
const CANDIDATES = "previewCandidates";

export function candidatesOf({ tree }: Pick<Draft, "tree">): Candidate[] {
  return (tree.staging.fact(CANDIDATES) as Candidate[] | undefined) ?? [];
}

export function noteCandidates({ tree }: Pick<Draft, "tree">, candidates: readonly Candidate[]): void {
  tree.staging.setFact(CANDIDATES, candidates);
}

/** The previews of what a draft has uploaded and still holds as it was. Reads no more than the limits say. */
export async function makePreviews(
  draft: Draft,
  limits: Limits,
  openOverlaid: OpenOverlaid | undefined,
): Promise<Report[]> {
  const reports: Report[] = [];
  for (const candidate of candidatesOf(draft)) {
    const entry = draft.tree.staging.get(pathOfText(candidate.path));
    if (entry?.type !== EntryType.file) continue;
    const report =
      candidate.kind === "table"
        ? await tablePreview(draft, candidate, entry, limits, openOverlaid)
        : mediaPreview(candidate, entry);
    if (report) reports.push(report);
  }
  return reports;
}

function mediaPreview(candidate: Candidate, { sizeBytes, sha256 }: FileEntry): Report {
  const facts = factsOf(candidate, mediaTypeOf(candidate.path) ?? "application/octet-stream");
  return { ...facts, bytes: sizeBytes, sha256, isFile: true };
}

async function tablePreview(
  draft: Draft,
  candidate: Candidate,
  entry: FileEntry,
  limits: Limits,
  openOverlaid: OpenOverlaid | undefined,
): Promise<Report | undefined> {
  const facts = factsOf(candidate, "application/json");
  try {
    const table = await withSource(candidate, entry, openOverlaid, (source) =>
      readTable(source, tableKindOf(candidate.path)!, { maxRows: limits.rows, maxBytes: limits.readBytes }),
    );
    return table && (await keepReport(draft.remote, facts, tableContent(cut(table)).bytes));
  } catch (error) {
    // A remote that fails will fail the commit where that matters; the preview is only left out.
    if (isDatasetError(error)) return undefined;
    return keepReport(
      draft.remote,
      { ...facts, problem: messageOf(error).slice(0, CELL_CHARS) },
      new Uint8Array(),
    );
  }
}

/** Undefined where the source is not any more what was uploaded. */
async function withSource<T>(
  { source }: Candidate,
  entry: FileEntry,
  openOverlaid: OpenOverlaid | undefined,
  use: (source: ByteSource) => Promise<T>,
): Promise<T | undefined> {
  const { sizeBytes } = entry;
  const within = (start: number, end: number) => [start, Math.max(start, Math.min(end, sizeBytes))] as const;
  if (source.kind === "overlay") {
    const reader = await openOverlaid?.(source.ino);
    if (!reader) return undefined;
    const read = (start: number, end: number) => reader.read(...within(start, end));
    return use({ sizeBytes, read }).finally(() => reader.close());
  }
  const file = await open(bufferOf(source.path)).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size, mtimeNs } = await file.stat({ bigint: true });
    const mtime = BigInt(entry.mtimeSec) * 1_000_000_000n + BigInt(entry.mtimeNsec);
    if (Number(size) !== sizeBytes || mtimeNs !== mtime) return undefined;
    const read = async (start: number, end: number) => {
      const [from, to] = within(start, end);
      const target = new Uint8Array(to - from);
      const { bytesRead } = await file.read(target, 0, target.length, from);
      return target.subarray(0, bytesRead);
    };
    return await use({ sizeBytes, read });
  } finally {
    await file.close();
  }
}

function factsOf({ path, kind }: Candidate, type: string): ReportFacts {
  const title = basename(path).slice(0, 200);
  return { kind, title, series: title, iteration: 0, reportedAtMs: Date.now(), source: path, type };
}

/** A preview is something to look at: long cells and the hundredth column say nothing more. */
function cut({ columns, rows }: Table): Table {
  const cell = (value: Cell) => (typeof value === "string" ? value.slice(0, CELL_CHARS) : value);
  return { columns: columns.slice(0, COLUMNS), rows: rows.map((row) => row.slice(0, COLUMNS).map(cell)) };
}
