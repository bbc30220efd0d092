/** What belongs to a version beside its tree, copied from another remote: metadata, annexes and their attachments. */
import type { RemoteId } from "../content/chunk.js";
import { attachmentSchema, putAttachment, readAttachment } from "./attachments.js";
import { type RecordedBelongings, belongingsOf } from "./belongings.js";
import type { Draft } from "./draft.js";
import type { Workspace } from "./workspace.js";

/** @param from The remote whose attachments are copied; one in another is named as it is. */
export async function copyBelongings(
  workspace: Workspace,
  draft: Draft,
  { metadata, annexes }: RecordedBelongings,
  from: RemoteId,
): Promise<void> {
  const copied = (await copyAttachments(workspace, draft, { metadata, annexes }, from)) as RecordedBelongings;
  await (await workspace.catalog()).setBelongings(draft.version.id, belongingsOf(copied));
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
