/** `Dataset.create`: which dataset the new version belongs to, however its caller says it. */
import { DatasetError } from "../errors.js";
import { type CreateOptions, type Draft, discardDraft } from "./draft.js";
import { isSelective, predicateOf } from "./file-metadata/select.js";
import { type OptionNames, checkLists, checkOptions } from "./known-options.js";
import { newDraft } from "./new-draft.js";
import { type DatasetName, parseDatasetName } from "./reference.js";
import { locateVersion } from "./remote-reference.js";
import { keepSelected } from "./subset.js";
import { unmarkTransient } from "./transient-mark.js";
import { type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

/** A dataset by project and name, with the options beside. */
export interface NewVersionOptions extends CreateOptions, WithWorkspace {
  /** Default: that of the first parent. */
  project?: string | undefined;
  /** Default: that of the first parent. `project/name` says both. */
  name?: string | undefined;
}

const OPTIONS: OptionNames<NewVersionOptions> = {
  project: true,
  name: true,
  version: true,
  parents: true,
  merge: true,
  remote: true,
  tags: true,
  description: true,
  useCurrentJob: true,
  id: true,
  base: true,
  inheritMetadata: true,
  where: true,
  globs: true,
  transient: true,
  refreshed: true,
  workspace: true,
};

/** @throws {DatasetError} as `createDraft`; `bad-input` for an option there is not, or where no dataset is named */
export async function createVersion(
  what: string | NewVersionOptions,
  given: CreateOptions & WithWorkspace,
): Promise<{ workspace: Workspace; draft: Draft }> {
  const options: NewVersionOptions =
    typeof what === "string" ? { name: what, ...given } : { ...what, ...given };
  checkOptions("Dataset.create", options, OPTIONS);
  checkLists("Dataset.create", options, ["parents", "tags", "globs"]);
  const workspace = options.workspace ?? defaultWorkspace();
  const name = typeof what === "string" ? parseDatasetName(what) : await nameIn(workspace, options);
  return createSelected(workspace, name, options);
}

/** What is asked for wrongly leaves no draft behind. */
async function createSelected(
  workspace: Workspace,
  name: DatasetName,
  options: NewVersionOptions,
): Promise<{ workspace: Workspace; draft: Draft }> {
  predicateOf(options);
  if (!isSelective(options)) return newDraft(workspace, name, options);
  const made = await newDraft(workspace, name, { ...options, transient: true }); // Until it holds what it is to hold.
  try {
    await keepSelected(made.workspace, made.draft, options);
    if (!options.transient) unmarkTransient(made.draft.tree.staging);
    return made;
  } catch (error) {
    await discardDraft(made.workspace, made.draft);
    throw error;
  }
}

async function nameIn(
  workspace: Workspace,
  { project, name, parents: [first] = [] }: NewVersionOptions,
): Promise<DatasetName> {
  if (project === undefined && name?.includes("/")) return parseDatasetName(name);
  if (project !== undefined && name !== undefined) return parseDatasetName(`${project}/${checkName(name)}`);
  if (first === undefined) throw unnamed(name ?? project ?? "");
  const { found } = await locateVersion(workspace, typeof first === "string" ? first : first.locator);
  const { dataset } = found;
  return parseDatasetName(`${project ?? dataset.project}/${checkName(name ?? dataset.name)}`);
}

/** Else the last part alone would be the name, and the rest the project's. */
function checkName(name: string): string {
  if (!name.includes("/")) return name;
  const message = `Cannot name a dataset ${JSON.stringify(name)}: a name holds no "/"; a project may`;
  throw new DatasetError("bad-input", { value: name }, message);
}

function unnamed(value: string): DatasetError<"bad-input"> {
  const message =
    "Cannot tell which dataset is meant: give project and name, or parents, whose first then names it";
  return new DatasetError("bad-input", { value }, message);
}
