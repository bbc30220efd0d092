/**
 * Jobs for programs: what calls varve, its parameters, and the versions it used. The catalog keeps them; nothing that is
 * read depends on them.
 */
import type { JobRow, JobUse } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import { currentJob } from "./job-of-process.js";
import { isAliasParameter } from "./job-use.js";
import { locateVersion } from "./remote-reference.js";
import { type WithWorkspace, type Workspace, defaultWorkspace } from "./workspace.js";

/** A version a job used. */
export type { JobUse };

/** What calls varve, as the catalog knows it: a training run, a script, a command. */
export class Job {
  private constructor(
    private readonly workspace: Workspace,
    private readonly row: JobRow,
  ) {}

  /**
   * The job of this process: that of `VARVE_JOB_ID` with the name `VARVE_JOB_NAME`, else one made for this process.
   *
   * @throws {DatasetError} `bad-input` for an id with spaces
   */
  static async current(options: WithWorkspace = {}): Promise<Job> {
    const workspace = options.workspace ?? defaultWorkspace();
    return new Job(workspace, await currentJob(workspace));
  }

  /** @throws {DatasetError} `not-found` */
  static async get(id: string, options: WithWorkspace = {}): Promise<Job> {
    const workspace = options.workspace ?? defaultWorkspace();
    const row = await (await workspace.catalog()).jobById(id);
    if (row) return new Job(workspace, row);
    const message = `Cannot find the job "${id}": varve job list shows those this catalog knows`;
    throw new DatasetError("not-found", { what: `job "${id}"` }, message);
  }

  /** The jobs of the catalog, the one that started last at the front. */
  static async list(options: { limit?: number | undefined } & WithWorkspace = {}): Promise<Job[]> {
    const { workspace = defaultWorkspace(), limit } = options;
    return (await (await workspace.catalog()).listJobs({ limit })).map((row) => new Job(workspace, row));
  }

  /** `VARVE_JOB_ID`, or what was made for its process. */
  get id(): string {
    return this.row.id;
  }

  /** For people: `VARVE_JOB_NAME`, or that of its program. */
  get name(): string {
    return this.row.name;
  }

  /** Command line of the process that was first seen of it. */
  get command(): string {
    return this.row.command;
  }

  /** Name of the machine it was first seen on. */
  get host(): string {
    return this.row.host;
  }

  /** The user. */
  get startedBy(): string {
    return this.row.startedBy;
  }

  /** Unix ms. */
  get startedAtMs(): number {
    return this.row.startedAtMs;
  }

  /** Its parameters by name, as text. */
  async parameters(): Promise<Record<string, string>> {
    const rows = await (await this.workspace.catalog()).jobParameters(this.id);
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  }

  /**
   * Sets parameters; others stay. `Datasets/<alias>` is a reference: what an overridable `get` or mount of that alias
   * gives when this job runs again.
   *
   * @throws {DatasetError} `not-found` for a reference that leads nowhere, `version-unfinished`, `bad-input`
   */
  async setParameters(parameters: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    const catalog = await this.workspace.catalog();
    const given = Object.entries(parameters).map(([name, value]) => ({ name, value: String(value) }));
    for (const { name } of given) checkName(name);
    for (const { name, value } of given)
      if (isAliasParameter(name)) await locateVersion(this.workspace, value);
    for (const { name, value } of given) await catalog.setJobParameter(this.id, name, value);
  }

  /** @throws {DatasetError} `not-found` */
  async removeParameter(name: string): Promise<void> {
    if (await (await this.workspace.catalog()).removeJobParameter(this.id, name)) return;
    const message = `Cannot remove the parameter "${name}" of job "${this.id}": it has none of that name`;
    throw new DatasetError("not-found", { what: `parameter "${name}"` }, message);
  }

  /** The versions it used, by alias, the last use of each first. */
  async uses(): Promise<JobUse[]> {
    return (await this.workspace.catalog()).usesOfJob(this.id);
  }
}

/** @throws {DatasetError} `bad-input` */
function checkName(name: string): void {
  if (/^[^\p{Cc}]{1,200}$/u.test(name)) return;
  const message = `Cannot name a parameter ${JSON.stringify(name.slice(0, 80))}: write up to 200 characters on one line`;
  throw new DatasetError("bad-input", { value: name }, message);
}
