/** Words about versions and datasets, and whether they are published or archived: what each call amends. */
import { DatasetError } from "../errors.js";
import { amend } from "./amend.js";
import { type FoundVersion, isFinished, nameOfVersion } from "./history.js";
import type { Subject } from "./subject.js";
import type { Workspace } from "./workspace.js";

export interface TagChanges {
  add?: readonly string[] | undefined;
  remove?: readonly string[] | undefined;
}

const TAG_MAX_CHARS = 200;

/** Sorted. */
export async function tagsOf(workspace: Workspace, { dataset, version }: Subject): Promise<string[]> {
  const catalog = await workspace.catalog();
  return version ? catalog.versionTags(version.id) : catalog.datasetTags(dataset.id);
}

/** Adds and removes tags; one that is there, or missing, already is no error. @throws {DatasetError} `bad-input`, as `amend` */
export async function changeTags(workspace: Workspace, subject: Subject, changes: TagChanges): Promise<void> {
  const { dataset, version } = subject;
  const add = (changes.add ?? []).map(checkTag);
  const remove = (changes.remove ?? []).filter((tag) => !add.includes(tag));
  if (add.length + remove.length === 0) return;
  await amend(workspace, dataset, { kind: "tag", version: version?.id, add, remove });
}

/** Makes `tags` the only ones. What another adds meanwhile stays. */
export async function setTags(
  workspace: Workspace,
  subject: Subject,
  tags: readonly string[],
): Promise<void> {
  const before = await tagsOf(workspace, subject);
  const remove = before.filter((tag) => !tags.includes(tag));
  await changeTags(workspace, subject, { add: tags.filter((tag) => !before.includes(tag)), remove });
}

/** Marks a finished version as one to rely on; twice is the same as once. @throws {DatasetError} `version-unfinished` */
export async function publishVersion(workspace: Workspace, found: FoundVersion): Promise<void> {
  const { dataset, version } = found;
  if (!isFinished(version)) throw notFinished(found, "publish");
  if (version.state === "completed")
    await amend(workspace, dataset, { kind: "publish", version: version.id });
}

/** Leaves a version or a dataset out of lists and of `latest`, or takes it in again. @throws {DatasetError} `version-unfinished` */
export async function setArchived(workspace: Workspace, subject: Subject, archived: boolean): Promise<void> {
  const { dataset, version } = subject;
  if (version && !isFinished(version)) throw notFinished({ dataset, version }, "archive");
  await amend(workspace, dataset, { kind: "archive", version: version?.id, archived });
}

export async function describeVersion(
  workspace: Workspace,
  { dataset, version }: FoundVersion,
  description: string,
): Promise<void> {
  await amend(workspace, dataset, { kind: "describe", version: version.id, description });
}

function checkTag(tag: string): string {
  if (tag.trim() !== "" && tag.length <= TAG_MAX_CHARS && !/[\u0000-\u001f]/.test(tag)) return tag;
  const shown = JSON.stringify(tag.slice(0, 80));
  const message = `Cannot take ${shown} as a tag: write 1 to ${TAG_MAX_CHARS} characters, none of them a control character`;
  throw new DatasetError("bad-input", { value: tag }, message);
}

function notFinished(found: FoundVersion, attempt: string): DatasetError<"version-unfinished"> {
  const name = nameOfVersion(found);
  const message = `Cannot ${attempt} "${name}": it is a ${found.version.state}; varve finalize completes it`;
  return new DatasetError("version-unfinished", { version: name }, message);
}
