/** One version as programs hold it: what it is called, which state it is in. What can be done with it stands in the classes above. */
import type { Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import type { Tree } from "../manifest/tree.js";
import { type Draft, closeDraft } from "./draft.js";
import { nameOfVersion } from "./history.js";
import { openVersionTree } from "./version-tree.js";
import type { Workspace } from "./workspace.js";

/** A version that was found or made, and all that is needed to work on it. */
export interface OpenedVersion {
  workspace: Workspace;
  dataset: DatasetRow;
  version: VersionRow;
  /** Present as long as it is a draft. */
  draft?: Draft | undefined;
  /** URL of the remote it was found in without a catalog. */
  remote?: string | undefined;
  /** Where the latest version was chosen: finished siblings it does not contain, as `project/name@label`. */
  unmerged?: readonly string[] | undefined;
}

export abstract class DatasetVersion {
  /** Where the latest version was chosen: finished siblings it does not contain, as `project/name@label`. */
  readonly unmerged: readonly string[];
  protected readonly workspace: Workspace;
  protected readonly remote: string | undefined;
  protected row: DatasetRow;
  protected current: VersionRow;
  protected draft: Draft | undefined;
  #tree: Promise<Tree> | undefined;

  protected constructor({ workspace, dataset, version, draft, remote, unmerged = [] }: OpenedVersion) {
    this.workspace = workspace;
    this.row = dataset;
    this.current = version;
    this.draft = draft;
    this.remote = remote;
    this.unmerged = unmerged;
  }

  /** 32 hex characters. */
  get id(): string {
    return this.current.id;
  }

  /** The project of its dataset, which may hold `/`. */
  get project(): string {
    return this.row.project;
  }

  /** The name of its dataset within the project. */
  get name(): string {
    return this.row.name;
  }

  /** The label. */
  get version(): string {
    return this.current.label;
  }

  /** Whether it is completed: then it never changes. */
  get isFinal(): boolean {
    return this.draft === undefined;
  }

  /** `project/name@label`. */
  get reference(): string {
    return nameOfVersion({ dataset: this.row, version: this.current });
  }

  /** What finds it from any catalog: its id; of one found in a remote the reference with that in front. */
  get locator(): string {
    return this.remote === undefined ? this.id : `${this.remote}#${this.reference}`;
  }

  /** Whether something staged is not uploaded yet. */
  get isDirty(): boolean {
    return (this.draft?.tree.staging.counts().pending ?? 0) > 0;
  }

  /** The tree of a finished version. @throws {DatasetError} `version-unfinished` */
  async tree(): Promise<Tree> {
    return (this.#tree ??= openVersionTree(this.workspace, this.current));
  }

  /** Lets go of a draft's file; the draft stays. */
  close(): void {
    if (this.draft) closeDraft(this.draft);
    this.draft = undefined;
  }

  /** The draft. @throws {DatasetError} `version-final` */
  protected open(): Draft {
    if (this.draft) return this.draft;
    const message = `Cannot change "${this.reference}": it is finished; create a child with --parent ${this.reference}`;
    throw new DatasetError("version-final", { version: this.reference }, message);
  }
}
