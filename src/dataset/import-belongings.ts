/**
 * What belongs to a version beside its tree, copied from another remote with its attachments: metadata by name, and as if it
 * were said again of the draft, metadata of files and reports. Annexes of kinds that this varve does not know stay behind.
 */
import type { RemoteId } from "../content/chunk.js";
import { inBursts } from "../content/in-bursts.js";
import { attachmentSchema, putAttachment, readAttachment } from "./attachments.js";
import { type RecordedBelongings, belongingsOf } from "./belongings.js";
import type { Draft } from "./draft.js";
import { FILE_METADATA_KIND, readFileTable, tableRows } from "./file-metadata/table.js";
import { readReportPages } from "./reports/report.js";
import { REPORTS_KIND } from "./reports/version-reports.js";
import type { Workspace } from "./workspace.js";

/** Rows staged in one transaction. */
const BATCH = 2_000;

/** @param from The remote whose attachments are copied; one in another is named as it is. */
export async function copyBelongings(
  workspace: Workspace,
  draft: Draft,
  { metadata, annexes }: RecordedBelongings,
  from: RemoteId,
): Promise<void> {
  const copied = (await copyAttachments(workspace, draft, { metadata }, from)) as RecordedBelongings;
  await (await workspace.catalog()).setBelongings(draft.version.id, belongingsOf(copied));
  const known = belongingsOf({ annexes }).annexes;
  await copyFileMetadata(workspace, draft, known[FILE_METADATA_KIND] ?? []);
  await copyReports(workspace, draft, known[REPORTS_KIND] ?? []);
}

async function copyFileMetadata(
  workspace: Workspace,
  draft: Draft,
  annexes: readonly string[],
): Promise<void> {
  const cache = await workspace.cache();
  const rows = tableRows(cache, await readFileTable(cache, annexes));
  for await (const batch of inBursts(rows, BATCH))
    draft.tree.staging.annexes.changePatches(batch, ({ fields }) =>
      JSON.stringify({ replace: true, fields }),
    );
}

async function copyReports(workspace: Workspace, draft: Draft, pages: readonly string[]): Promise<void> {
  const cache = await workspace.cache();
  for (const report of await readReportPages(cache, pages)) {
    const { attachment } = report;
    const copied = attachment && {
      ...report,
      attachment: await putAttachment(draft.remote, await readAttachment(cache, attachment)),
    };
    draft.tree.staging.annexes.addReport(JSON.stringify(copied ?? report));
  }
}

/** JSON in which every attachment of `from`, wherever it stands, lies in the draft's remote. */
async function copyAttachments(
  workspace: Workspace,
  draft: Draft,
  json: unknown,
  from: RemoteId,
): Promise<unknown> {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) {
    const items: unknown[] = [];
    for (const item of json) items.push(await copyAttachments(workspace, draft, item, from));
    return items;
  }
  const attachment = attachmentSchema.safeParse(json);
  if (attachment.success && attachment.data.remote === from)
    return putAttachment(draft.remote, await readAttachment(await workspace.cache(), attachment.data));
  const fields: [string, unknown][] = [];
  for (const [name, value] of Object.entries(json))
    fields.push([name, await copyAttachments(workspace, draft, value, from)]);
  return Object.fromEntries(fields);
}
