/** The options of commands that give a job a version: under which name its use is noted, and whether another may be set. */
import type { Argv } from "yargs";
import type { Workspace } from "../dataset/workspace.js";

export interface AliasArguments {
  alias?: string | undefined;
  overridable?: boolean | undefined;
}

export function aliasOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("alias", {
      type: "string",
      requiresArg: true,
      describe: "Note in the catalog that this job uses it, under this name [VARVE_JOB_ID]",
    })
    .option("overridable", {
      type: "boolean",
      describe: "With --alias: use what varve job set names for this job instead",
    })
    .implies("overridable", "alias");
}

/** What is asked for, or what somebody set for the job instead. @throws {DatasetError} `bad-input` for the alias */
export async function overriddenReference<Reference extends string | undefined>(
  workspace: Workspace,
  reference: Reference,
  { alias, overridable }: AliasArguments,
): Promise<Reference | string> {
  if (alias === undefined) return reference;
  const { overrideOf, parameterOfAlias } = await import("../dataset/job-use.js");
  parameterOfAlias(alias);
  return (overridable ? await overrideOf(workspace, alias) : undefined) ?? reference;
}

/** @param shown What was given to the job; ids are null where it is all versions, whose use nobody can tell. */
export async function noteUse(
  workspace: Workspace,
  { alias }: AliasArguments,
  { id, dataset, version }: { id: string | null; dataset: string | null; version: string | null },
): Promise<void> {
  if (alias === undefined || id === null) return;
  const { recordUse } = await import("../dataset/job-use.js");
  await recordUse(workspace, alias, { id, reference: `${dataset}@${version}` });
}
