/**
 * The SDK's `Dataset`: one version of a dataset, a draft that can be changed or a finished one that can be read. The
 * command line is a thin layer over this class. Here versions are made and found; what can be done with one stands in
 * `editable-dataset.ts`, `amendable-dataset.ts`, `annotated-dataset.ts`, `readable-dataset.ts` and `dataset-version.ts`, by the modules beside them.
 */
import { type NewVersionOptions, createVersion } from "./create-version.js";
import { type CreateOptions, lastDraft } from "./draft.js";
import { type DeleteQuery, deleteByQuery } from "./delete.js";
import type { Deleted } from "./delete-version.js";
import { EditableDataset } from "./editable-dataset.js";
import { type GetOptions, type Wanted, getVersion } from "./get-version.js";
import {
  type ListOfVersionsOptions,
  type ListedDataset,
  type ListedVersion,
  listDatasets,
  listVersions,
} from "./list-datasets.js";
import { findVersion } from "./history.js";
import { type SquashOptions, createSquash, squashVersions, squashedName } from "./squash.js";
import { newNameOf, newProjectOf, renameByName } from "./rename.js";
import { type ImportOptions, type ImportedBundleVersion, importBundle } from "./import-bundle.js";
import { workspaceOfDrafts } from "./new-draft.js";
import { type WithWorkspace, defaultWorkspace, setDefaultOffline } from "./workspace.js";

/** A version of a dataset: a draft that can be changed, or a finished version, which never changes and can be read and mounted. */
export class Dataset extends EditableDataset {
  /**
   * Makes a draft: a new version that holds what its parents hold, until you change it. Neither tags nor description
   * come from parents.
   *
   * @param what `project/name`; or `{ project, name }` with the options beside, where both default to the first parent's.
   * @throws {DatasetError} `conflict` when the label asked for is taken; `not-found` for a parent; `version-unfinished`
   *   for one that is a draft; `bad-input`, also for an option there is not
   */
  static async create(
    what: string | NewVersionOptions,
    options: CreateOptions & WithWorkspace = {},
  ): Promise<Dataset> {
    const { workspace, draft } = await createVersion(what, options);
    const { dataset, version } = draft;
    return new Dataset({ workspace, dataset, version, draft });
  }

  /**
   * Finds a version: `project/name@label`, `project/name` for the latest, or an id; or by what is known of it, `{ id }` or
   * `{ project, name, version, tags }`, with the options beside. Finished ones only, unless `onlyCompleted` is false.
   * `s3://bucket/prefix#project/name@label` finds it in that remote, and asks no catalog.
   *
   * Of several versions of a dataset that fit, the highest label is given, a release before any pre-release; where several
   * datasets have one that fits, of these the one that was completed last.
   *
   * @throws {DatasetError} `not-found`, `version-unfinished`, `bad-input`, also for an option there is not
   */
  static async get(what: Wanted, options: GetOptions & WithWorkspace = {}): Promise<Dataset> {
    return new Dataset(await getVersion(what, options));
  }

  /**
   * Makes one version without parents that holds what several hold, laid over one another in order: the later wins where
   * two have a path, and one that a later one descends from is contained in it, with all that was removed since. Where
   * the bytes lie in its remote already none are moved; else all are copied, checked on the way. It does not need its
   * sources any more, and `varve log` tells them.
   *
   * @param name `project/name` of the dataset it becomes a version of; a name alone is in the project of the first source.
   * @param options The sources by one of `ids`, `references` and `pairs`; the rest as `create` and `finalize` take it.
   * @returns The finished version; with `finalize: false` a draft.
   * @throws {DatasetError} `bad-input` for no sources; `not-found`, `version-unfinished`, `conflict`
   */
  static async squash(name: string, options: SquashOptions & WithWorkspace): Promise<Dataset> {
    const workspace = options.workspace ?? defaultWorkspace();
    const named = await squashedName(workspace, name, options);
    const draft = options.finalize === false ? await createSquash(workspace, named, options) : undefined;
    if (draft) return new Dataset({ workspace, dataset: draft.dataset, version: draft.version, draft });
    const { id } = await squashVersions(workspace, named, options);
    return new Dataset({ workspace, ...(await findVersion(workspace, id)) });
  }

  /**
   * The datasets of the catalog that have a version which fits, with the latest of these; sorted by project and name.
   *
   * @throws {DatasetError} `bad-input`
   */
  static async listDatasets(options: ListOfVersionsOptions & WithWorkspace = {}): Promise<ListedDataset[]> {
    const { workspace = defaultWorkspace(), ...filter } = options;
    return listDatasets(workspace, filter);
  }

  /**
   * The versions of the catalog that fit, across datasets; sorted by project and name, then by label, the lowest first.
   *
   * @throws {DatasetError} `bad-input`
   */
  static async listVersions(options: ListOfVersionsOptions & WithWorkspace = {}): Promise<ListedVersion[]> {
    const { workspace = defaultWorkspace(), ...filter } = options;
    return listVersions(workspace, filter);
  }

  /**
   * Whether calls that name no workspace are offline from now on: no remote and no server is asked, what is read comes from
   * the cache, and new versions go into a bundle each (`docs/offline.md`). Default: `VARVE_OFFLINE`.
   */
  static setOffline(offline: boolean): void {
    setDefaultOffline(offline);
  }

  /** Whether such calls are. */
  static isOffline(): boolean {
    return defaultWorkspace().isOffline;
  }

  /**
   * Brings in what was made offline, each version once and under its own id, the next free label where nobody asked for one.
   *
   * @param path A bundle's zip or folder.
   * @throws {DatasetError} as `importBundle`
   */
  static async importOfflineSession(
    path: string,
    options: ImportOptions & WithWorkspace = {},
  ): Promise<ImportedBundleVersion[]> {
    const { workspace = defaultWorkspace(), ...given } = options;
    return importBundle(workspace, path, given);
  }

  /** The draft this user made last in this catalog. @throws {DatasetError} `not-found` */
  static async lastDraft(options: WithWorkspace = {}): Promise<Dataset> {
    const workspace = workspaceOfDrafts(options.workspace ?? defaultWorkspace());
    const draft = await lastDraft(workspace);
    const { dataset, version } = draft;
    return new Dataset({ workspace, dataset, version, draft });
  }

  /**
   * Deletes a version, or a whole dataset. What descendants share stays; its label is never given again.
   *
   * @example await Dataset.delete({ name: "vision/cifar10", version: "1.0.0" })
   * @throws {DatasetError} `conflict` for what has children or is published, without `force`; `not-found`, `bad-input`
   */
  static async delete(query: DeleteQuery): Promise<Deleted> {
    return deleteByQuery(query);
  }

  /**
   * Gives a dataset another name: its versions and its numbering go on under it. The old one is never another dataset's.
   *
   * @param name `project/name`.
   * @param newName The name alone; the project stays.
   * @throws {DatasetError} `conflict` when another dataset has, or had, the name; `not-found`, `bad-input`
   */
  static async rename(name: string, newName: string, options: WithWorkspace = {}): Promise<string> {
    const given = newNameOf(newName);
    return renameByName(options, name, ({ project }) => ({ project, name: given }));
  }

  /** Moves a dataset to another project, as `rename`. @throws {DatasetError} as `rename` */
  static async moveToProject(name: string, newProject: string, options: WithWorkspace = {}): Promise<string> {
    const project = newProjectOf(newProject);
    return renameByName(options, name, (former) => ({ ...former, project }));
  }
}
