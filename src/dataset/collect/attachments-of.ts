/** All attachments that a record or an amendment names, those named by the pages it names included. */
import type { Change } from "../../catalog/amendment.js";
import type { Cache } from "../../cache/cache.js";
import { DatasetError } from "../../errors.js";
import { type Attachment, attachmentSchema } from "../attachments.js";
import { readPages, tableRefSchema } from "../file-metadata/pages.js";
import { FILE_METADATA_KIND } from "../file-metadata/table.js";
import type { RecordedBelongings } from "../belongings.js";
import { readReportPages, reportPageSchema } from "../reports/report.js";
import { REPORTS_KIND } from "../reports/version-reports.js";
import { SIGNATURE_KIND } from "../signing/signatures.js";

/** @throws {DatasetError} `format-newer` for an annex of a kind that this varve does not know */
export async function* attachmentsIn(
  cache: Cache,
  { metadata = [], annexes = {} }: RecordedBelongings,
): AsyncGenerator<Attachment> {
  for (const { attachment } of metadata) if (attachment) yield attachment;
  for (const [kind, values] of Object.entries(annexes))
    for (const value of values) yield* attachmentsOfAnnex(cache, kind, JSON.stringify(value));
}

/** @throws {DatasetError} as `attachmentsIn` */
export async function* attachmentsOfChange(cache: Cache, change: Change): AsyncGenerator<Attachment> {
  if (change.kind === "annex") yield* attachmentsOfAnnex(cache, change.annex, change.add);
  if (change.kind !== "metadata") return;
  for (const { attachment } of change.set)
    if (attachment !== null) yield attachmentSchema.parse(JSON.parse(attachment));
}

async function* attachmentsOfAnnex(cache: Cache, kind: string, value: string): AsyncGenerator<Attachment> {
  if (kind === FILE_METADATA_KIND) yield* attachmentsOfTable(cache, value);
  else if (kind === REPORTS_KIND) yield* attachmentsOfReports(cache, value);
  else if (kind !== SIGNATURE_KIND) throw unknownKind(kind);
}

async function* attachmentsOfTable(cache: Cache, value: string): AsyncGenerator<Attachment> {
  const ref = tableRefSchema.parse(JSON.parse(value));
  yield ref.index;
  for (const { attachment } of await readPages(cache, ref)) yield attachment;
}

async function* attachmentsOfReports(cache: Cache, value: string): AsyncGenerator<Attachment> {
  yield reportPageSchema.parse(JSON.parse(value)).attachment;
  for (const { attachment } of await readReportPages(cache, [value])) if (attachment) yield attachment;
}

function unknownKind(kind: string): DatasetError<"format-newer"> {
  const what = `annex "${kind}"`;
  const message = `Cannot tell what the ${what} of a version needs: a newer varve wrote it; collect with that`;
  return new DatasetError("format-newer", { what, version: 0 }, message);
}
