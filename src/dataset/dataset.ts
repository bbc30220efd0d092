/**
 * The SDK's `Dataset`: one version of a dataset, a draft that can be changed or a finished one that can be read. The
 * command line is a thin layer over this class. Here versions are made and found; what can be done with one stands in
 * `editable-dataset.ts`, `readable-dataset.ts` and `dataset-version.ts`, and is done by the modules beside them.
 */
import { type CreateOptions, createDraft, lastDraft, openDraft } from "./draft.js";
import { EditableDataset } from "./editable-dataset.js";
import { tellOfHeads } from "./heads.js";
import { isFinished } from "./history.js";
import { parseDatasetName } from "./reference.js";
import { locateVersion } from "./remote-reference.js";
import { type WithWorkspace, defaultWorkspace } from "./workspace.js";

export class Dataset extends EditableDataset {
  /**
   * Makes a draft: a new version that holds what its parents hold, until you change it.
   *
   * @param name `project/name`.
   * @throws {DatasetError} `conflict` when the label asked for is taken; `not-found` for a parent; `bad-input`
   */
  static async create(name: string, options: CreateOptions & WithWorkspace = {}): Promise<Dataset> {
    const workspace = options.workspace ?? defaultWorkspace();
    const draft = await createDraft(workspace, parseDatasetName(name), options);
    const { dataset, version } = draft;
    return new Dataset({ workspace, dataset, version, draft });
  }

  /**
   * Finds a version: `project/name@label`, `project/name` for the latest, or an id. Finished ones only unless `drafts`.
   * `s3://bucket/prefix#project/name@label` finds it in that remote, and asks no catalog.
   *
   * @throws {DatasetError} `not-found`, `version-unfinished`, `bad-input`
   */
  static async get(reference: string, options: { drafts?: boolean } & WithWorkspace = {}): Promise<Dataset> {
    const asking = options.workspace ?? defaultWorkspace();
    const { workspace, found } = await locateVersion(asking, reference, { drafts: options.drafts ?? false });
    const { dataset, version, remote } = found;
    const draft = isFinished(version) ? undefined : await openDraft(workspace, { dataset, version });
    const unmerged = await tellOfHeads(workspace, reference, dataset);
    return new Dataset({ workspace, dataset, version, draft, remote, unmerged });
  }

  /** The draft this user made last in this catalog. @throws {DatasetError} `not-found` */
  static async lastDraft(options: WithWorkspace = {}): Promise<Dataset> {
    const workspace = options.workspace ?? defaultWorkspace();
    const draft = await lastDraft(workspace);
    const { dataset, version } = draft;
    return new Dataset({ workspace, dataset, version, draft });
  }
}
