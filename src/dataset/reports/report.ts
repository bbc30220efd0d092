/**
 * Reports: what is told of a version to be looked at, such as a table, a histogram, a picture. A list of them is kept in
 * pages, each an attachment; every entry describes itself, so that a page of the web can show it. Pure but for reading.
 */
import * as z from "zod";
import type { Cache } from "../../cache/cache.js";
import type { Sha256 } from "../../content/chunk.js";
import { sha256 } from "../../content/hash.js";
import { refuseNewer } from "../../format.js";
import { type Attachment, attachmentSchema, putAttachment, readAttachment } from "../attachments.js";
import { damaged, parseAs, parseJson } from "../stored-json.js";
import type { OpenedRemote } from "../workspace.js";

const REPORTS_FORMAT = 1;

export const REPORT_KINDS = [
  "table",
  "histogram",
  "scalar",
  "plot",
  "image",
  "audio",
  "video",
  "html",
  "text",
] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

const count = z.number().int().nonnegative();

const reportSchema = z.object({
  kind: z.enum(REPORT_KINDS),
  title: z.string(),
  series: z.string(),
  iteration: count,
  /** Unix ms. */
  reportedAtMs: count,
  /** Set where nobody reported it: the file of the version it was taken from by itself. */
  source: z.string().optional(),
  /** Why there is no content, where there is none. */
  problem: z.string().optional(),
  /** Media type of the content. A table is JSON: `{columns, rows}`; a plot is Plotly's figure. */
  type: z.string(),
  bytes: count,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .transform((hash) => hash as Sha256),
  /** Set where the content is that of the file `source` of the version. */
  isFile: z.literal(true).optional(),
  /** Else the content: base64 of a small one, or where it lies. */
  value: z.base64().optional(),
  attachment: attachmentSchema.optional(),
});

export type Report = z.infer<typeof reportSchema>;

const pageSchema = z.object({ format: z.literal(REPORTS_FORMAT), reports: z.array(reportSchema) });

/** A page as an annex names it. */
export const reportPageSchema = z.object({ attachment: attachmentSchema, count });
export type ReportPage = z.infer<typeof reportPageSchema>;

/** What a report is without its content. */
export type ReportFacts = Omit<Report, "bytes" | "sha256" | "isFile" | "value" | "attachment">;

/** Smaller content stands in the page itself: a request each would cost more than it does. */
const INLINE_MAX_BYTES = 1024;

/** Stores the content; the report that names it. */
export async function keepReport(
  remote: OpenedRemote,
  facts: ReportFacts,
  content: Uint8Array,
): Promise<Report> {
  const sized = { ...facts, bytes: content.length, sha256: sha256(content) };
  if (content.length <= INLINE_MAX_BYTES) return { ...sized, value: Buffer.from(content).toString("base64") };
  return { ...sized, attachment: await putAttachment(remote, content) };
}

/** The content of a report that is no file of the version. @throws {DatasetError} `content-damaged`, `object-missing`, `offline` */
export async function readReport(cache: Cache, { value = "", attachment }: Report): Promise<Uint8Array> {
  return attachment ? readAttachment(cache, attachment) : new Uint8Array(Buffer.from(value, "base64"));
}

export async function putReportPage(remote: OpenedRemote, reports: readonly Report[]): Promise<ReportPage> {
  const bytes = Buffer.from(JSON.stringify({ format: REPORTS_FORMAT, reports }));
  return { attachment: await putAttachment(remote, bytes), count: reports.length };
}

/** The reports of pages, in order; each page is checked. @throws {DatasetError} `format-damaged` */
export async function readReportPages(cache: Cache, pages: readonly string[]): Promise<Report[]> {
  const reports: Report[] = [];
  for (const text of pages) {
    const { attachment } = parseAs(reportPageSchema, text, "page of reports");
    reports.push(...parsePage(await readAttachment(cache, attachment), attachment));
  }
  return reports;
}

/** A report as a draft keeps it. */
export function parseReport(text: string): Report {
  return reportSchema.parse(JSON.parse(text));
}

function parsePage(bytes: Uint8Array, { sha256 }: Attachment): Report[] {
  const what = `list of reports ${sha256}`;
  const json = parseJson(bytes, what);
  refuseNewer(json, REPORTS_FORMAT, what);
  const parsed = pageSchema.safeParse(json);
  if (parsed.success) return parsed.data.reports;
  throw damaged(what, parsed.error);
}
