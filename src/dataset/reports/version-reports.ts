/** The reports of a version: a draft keeps them in its staging file, a finished one in pages that its record names. */
import type { VersionRow } from "../../catalog/catalog.js";
import type { Tree } from "../../manifest/tree.js";
import { pathOfText } from "../../paths.js";
import { amend } from "../amend.js";
import { holdDraft } from "../draft-lease.js";
import type { Draft } from "../draft.js";
import { noteUploadBegun } from "../upload-begun.js";
import type { FoundVersion } from "../history.js";
import { readFile } from "../listing.js";
import { remoteOf } from "../metadata.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import { VersionLogger } from "./logger.js";
import {
  type Report,
  type ReportPage,
  keepReport,
  parseReport,
  putReportPage,
  readReport,
  readReportPages,
} from "./report.js";

/** The annex kind of pages of reports. */
export const REPORTS_KIND = "reports";

/** Reports a version may have: their list is read whole. */
const REPORTS_MAX = 10_000;

/** A draft notes its reports until it is finalized; of a finished version each is an amendment. */
export function loggerOf(workspace: Workspace, found: FoundVersion, draft: Draft | undefined): VersionLogger {
  return new VersionLogger(async (facts, content) => {
    const remote = draft?.remote ?? (await remoteOf(workspace, found.version.remoteId));
    if (draft) await holdDraft(workspace, draft);
    const report = await keepReport(remote, facts, content);
    // What lies in the draft's remote holds it there.
    if (draft && report.attachment) noteUploadBegun(draft);
    if (draft) draft.tree.staging.annexes.addReport(JSON.stringify(report));
    else await amendReports(workspace, found, await putReportPage(remote, [report]));
    return report;
  });
}

async function amendReports(
  workspace: Workspace,
  { dataset, version }: FoundVersion,
  page: ReportPage,
): Promise<void> {
  const add = JSON.stringify(page);
  await amend(workspace, dataset, { kind: "annex", version: version.id, annex: REPORTS_KIND, add });
}

/** In the order in which they were reported. */
export async function listReports(
  workspace: Workspace,
  version: VersionRow,
  draft: Draft | undefined,
): Promise<Report[]> {
  if (draft) return draft.tree.staging.annexes.reports().map(parseReport);
  const pages = await (await workspace.catalog()).annexesOf(version.id, REPORTS_KIND);
  return readReportPages(await workspace.cache(), pages);
}

/** @param tree Of the version, for content that is one of its files. */
export async function contentOfReport(
  workspace: Workspace,
  report: Report,
  tree: () => Promise<Tree>,
): Promise<Uint8Array> {
  const cache = await workspace.cache();
  if (!report.isFile || report.source === undefined) return readReport(cache, report);
  const parts: Uint8Array[] = [];
  for await (const part of readFile(cache, await tree(), pathOfText(report.source))) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** The annex of a draft's reports and of `previews`, durable in the remote; none where there are none. */
export async function writeReports(
  draft: Draft,
  remote: OpenedRemote,
  previews: readonly Report[],
): Promise<string[]> {
  const reported = draft.tree.staging.annexes.reports().slice(0, REPORTS_MAX).map(parseReport);
  const reports = [...reported, ...previews];
  return reports.length === 0 ? [] : [JSON.stringify(await putReportPage(remote, reports))];
}
