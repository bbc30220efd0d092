/** What a job used: a version under an alias, noted in the catalog; and the version that somebody chose for it instead. */
import { DatasetError, messageOf } from "../errors.js";
import { currentJob, currentJobId } from "./job-of-process.js";
import type { Workspace } from "./workspace.js";

/** Where the parameters that choose versions lie. */
const SECTION = "Datasets/";
const ALIAS = /^[^\p{Cc}]{1,200}$/u;

export interface UsedVersion {
  id: string;
  /** `project/name@label`. */
  reference: string;
}

/** The name of the parameter behind an alias. @throws {DatasetError} `bad-input` */
export function parameterOfAlias(alias: string): string {
  if (ALIAS.test(alias)) return SECTION + alias;
  const message = `Cannot take ${JSON.stringify(alias.slice(0, 80))} as an alias: write up to 200 characters on one line`;
  throw new DatasetError("bad-input", { value: alias }, message);
}

/** Whether a parameter chooses a version. */
export function isAliasParameter(name: string): boolean {
  return name.startsWith(SECTION);
}

/**
 * Notes that the job of this process used a version. Nothing is noted with `VARVE_JOBS=off`; where it cannot be noted,
 * that is said, and what was asked for goes on.
 */
export async function recordUse(workspace: Workspace, alias: string, used: UsedVersion): Promise<void> {
  if (process.env["VARVE_JOBS"] === "off") return;
  try {
    const job = await currentJob(workspace);
    const catalog = await workspace.catalog();
    const { id: versionId, reference } = used;
    await catalog.recordJobUse({ jobId: job.id, alias, versionId, reference, usedAtMs: Date.now() });
  } catch (error) {
    workspace.notice(
      `Warning: the use of ${used.reference} as "${alias}" was not recorded: ${messageOf(error)}`,
    );
  }
}

/** The reference that somebody set for an alias of this process's job (`varve job set`), if any. */
export async function overrideOf(workspace: Workspace, alias: string): Promise<string | undefined> {
  const name = parameterOfAlias(alias);
  const catalog = await workspace.catalog();
  const parameters = await catalog.jobParameters(currentJobId(process.env));
  const value = parameters.find((parameter) => parameter.name === name)?.value;
  if (value !== undefined) workspace.notice(`Using ${value} for "${alias}": varve job set says so`);
  return value;
}
