/**
 * The SDK's `Dataset`: one version of a dataset, a draft that can be changed or a finished one that can be read. The
 * command line is a thin layer over this class; the work is done by the modules beside it.
 */
import { resolve } from "node:path";
import type { Dataset as DatasetRow, VersionRow } from "../catalog/catalog.js";
import type { MountInfo, MountOptions } from "../daemon/config.js";
import { DatasetError } from "../errors.js";
import { foldersOf } from "../home.js";
import type { TreeDiff } from "../manifest/diff.js";
import type { Entry } from "../manifest/entry.js";
import type { Tree } from "../manifest/tree.js";
import { bytesOfText, pathOfText } from "../paths.js";
import { type CommitOptions, type CommitResult, commitDraft } from "./commit.js";
import {
  type CreateOptions,
  type Draft,
  closeDraft,
  createDraft,
  discardDraft,
  lastDraft,
  openDraft,
} from "./draft.js";
import { type LinkOptions, stageLinks } from "./external-files.js";
import { tellOfHeads } from "./heads.js";
import { findVersion, isFinished, nameOfVersion } from "./history.js";
import { type ListOptions, entryAt, listDraft, listTree, readFile } from "./listing.js";
import { mountVersion } from "./mounting.js";
import { parseDatasetName } from "./reference.js";
import { locateVersion } from "./remote-reference.js";
import { removeLinks, removeMatching } from "./remove.js";
import { type StageCounts, stageFolder } from "./stage-folder.js";
import { stageFile } from "./stage-file.js";
import { uploadDraft } from "./upload-draft.js";
import type { UploadOptions, UploadResult } from "./upload.js";
import { type VerifiedLinks, type VerifyLinksOptions, verifyLinks } from "./verify-links.js";
import { diffOf } from "./version-diff.js";
import { asyncRangeLoader, openVersionTree } from "./version-tree.js";
import { Workspace } from "./workspace.js";

export interface WithWorkspace {
  /** Where catalog, cache and remotes are. Default: one for the process, as the environment says. */
  workspace?: Workspace | undefined;
}

export interface AddOptions {
  /** Folder inside the dataset. Default: its root. */
  to?: string | undefined;
  /** Patterns of what to take; one without `/` is held against names, else against the path below the folder. */
  wildcards?: readonly string[] | undefined;
  /** Default true. */
  recursive?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface SyncCounts extends StageCounts {
  /** Whether anything was staged whose content, or only whose metadata, differs from the parents'. Known after upload. */
  pending: boolean;
}

export interface FinalizeOptions extends CommitOptions {
  /** Default false: a draft with files not yet uploaded is refused. */
  autoUpload?: boolean | undefined;
}

let shared: Workspace | undefined;

/** The workspace of the process, for calls that name none. */
export function defaultWorkspace(): Workspace {
  return (shared ??= new Workspace());
}

export class Dataset {
  #tree: Promise<Tree> | undefined;

  private constructor(
    private readonly workspace: Workspace,
    private readonly row: DatasetRow,
    private current: VersionRow,
    private draft: Draft | undefined,
    /** URL of the remote it was found in without a catalog. */
    private readonly remote?: string,
    /** Where `get` chose the latest version: finished siblings it does not contain, as `project/name@label`. */
    readonly unmerged: readonly string[] = [],
  ) {}

  /**
   * Makes a draft: a new version that holds what its parents hold, until you change it.
   *
   * @param name `project/name`.
   * @throws {DatasetError} `conflict` when the label asked for is taken; `not-found` for a parent; `bad-input`
   */
  static async create(name: string, options: CreateOptions & WithWorkspace = {}): Promise<Dataset> {
    const workspace = options.workspace ?? defaultWorkspace();
    const draft = await createDraft(workspace, parseDatasetName(name), options);
    return new Dataset(workspace, draft.dataset, draft.version, draft);
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
    return new Dataset(workspace, dataset, version, draft, remote, unmerged);
  }

  /** The draft this user made last in this catalog. @throws {DatasetError} `not-found` */
  static async lastDraft(options: WithWorkspace = {}): Promise<Dataset> {
    const workspace = options.workspace ?? defaultWorkspace();
    const draft = await lastDraft(workspace);
    return new Dataset(workspace, draft.dataset, draft.version, draft);
  }

  /** 32 hex characters. */
  get id(): string {
    return this.current.id;
  }

  get project(): string {
    return this.row.project;
  }

  get name(): string {
    return this.row.name;
  }

  /** The label. */
  get version(): string {
    return this.current.label;
  }

  get isFinal(): boolean {
    return this.draft === undefined;
  }

  /** `project/name@label`. */
  get reference(): string {
    return nameOfVersion({ dataset: this.row, version: this.current });
  }

  /** Whether something staged is not uploaded yet. */
  get isDirty(): boolean {
    return (this.draft?.tree.staging.counts().pending ?? 0) > 0;
  }

  /**
   * Stages local files: the contents of a folder, or one file. Nothing is sent before `upload`.
   *
   * @throws {DatasetError} `version-final`, `not-found`, `source-unreadable`, `bad-input`
   */
  async addFiles(paths: string | readonly string[], options: AddOptions = {}): Promise<StageCounts> {
    const { tree } = this.open();
    const to = pathOfText(options.to ?? "");
    const total: StageCounts = { added: 0, modified: 0, removed: 0, files: 0, skipped: [] };
    for (const path of typeof paths === "string" ? [paths] : paths) {
      const from = bytesOfText(resolve(path));
      const counts = await stageFile(tree, from, to, () =>
        stageFolder(tree, this.workspace.stamps(), from, to, { ...options, leaveOut: this.ownFolders() }),
      );
      addCounts(total, counts);
    }
    return total;
  }

  /**
   * Stages external files: their bytes stay where they are and are read from there, as long as they are what they were.
   * Nothing is copied; with `hash` they are read once.
   *
   * @param urls `s3://`, `gs://`, `azure://`, `file://` (or a local path), `http(s)://`: files, or folders where these can be listed.
   * @throws {DatasetError} `version-final`, `not-found`, `bad-input`; `unsupported` for one that cannot be read by
   *   range, or has no pin without `unpinned`
   */
  async addExternalFiles(urls: string | readonly string[], options: LinkOptions = {}): Promise<StageCounts> {
    const { tree } = this.open();
    const listed = typeof urls === "string" ? [urls] : urls;
    return stageLinks(tree, this.workspace.links(), listed, pathOfText(options.to ?? ""), options);
  }

  /**
   * Stages the removal of files, folders (with all below them) and whatever matches a wildcard.
   *
   * @returns How many files and links are no more.
   * @throws {DatasetError} `version-final`; `path-missing` when a path or pattern matches nothing
   */
  async removeFiles(patterns: string | readonly string[]): Promise<number> {
    return removeMatching(this.open().tree, typeof patterns === "string" ? [patterns] : patterns);
  }

  /**
   * Stages the removal of the links that lead to these URLs; one that ends with `/` is the folder with all below it.
   *
   * @returns How many links are no more.
   * @throws {DatasetError} `version-final`; `path-missing` when none leads to one of them
   */
  async removeExternalFiles(urls: string | readonly string[]): Promise<number> {
    return removeLinks(this.open().tree, typeof urls === "string" ? [urls] : urls);
  }

  /** Stages what makes a folder of the dataset equal to a local folder: what it lacks is removed. */
  async syncFolder(path: string, options: AddOptions = {}): Promise<StageCounts> {
    const { tree } = this.open();
    const to = pathOfText(options.to ?? "");
    const from = bytesOfText(resolve(path));
    const given = { ...options, removeMissing: true, leaveOut: this.ownFolders() };
    return stageFolder(tree, this.workspace.stamps(), from, to, given);
  }

  /** A folder that is walked may hold them, as a user's home folder does. */
  private ownFolders(): Set<string> {
    return new Set(foldersOf(this.workspace.home).map(bytesOfText));
  }

  /** Sends the content of every staged file that is not in the remote yet. */
  async upload(options: UploadOptions = {}): Promise<UploadResult> {
    return uploadDraft(this.workspace, this.open(), options);
  }

  /** What upload has found the staged edits to change: content, only metadata, or nothing. */
  stagedEffect(): "content" | "metadata" | "none" {
    const { staged, content, pending } = this.open().tree.staging.counts();
    if (content + pending > 0) return "content";
    return staged > 0 ? "metadata" : "none";
  }

  /**
   * Completes the draft: from now on it never changes.
   *
   * @throws {DatasetError} `version-final`; `conflict` when files are not uploaded and `autoUpload` is off, or when
   *   the label was taken in the remote meanwhile
   */
  async finalize(options: FinalizeOptions = {}): Promise<CommitResult> {
    const draft = this.open();
    if (this.isDirty && !options.autoUpload) throw notUploaded(this.reference);
    const result = await commitDraft(this.workspace, draft, options);
    this.draft = undefined;
    const found = await findVersion(this.workspace, result.id);
    this.current = found.version;
    return result;
  }

  /** Throws a draft away. @throws {DatasetError} `version-final` */
  async discard(): Promise<void> {
    await discardDraft(this.workspace, this.open());
    this.draft = undefined;
  }

  /** Entries below a folder, `recursive` unless told otherwise. @throws {DatasetError} `path-missing` */
  async *listFiles(directory = "", options: ListOptions = {}): AsyncIterable<Entry> {
    const path = pathOfText(directory);
    if (this.draft) yield* listDraft(this.draft.tree, path, options);
    else yield* listTree(await this.workspace.cache(), await this.tree(), path, options);
  }

  /** One entry. @throws {DatasetError} `path-missing` */
  async entry(path: string): Promise<Entry> {
    return entryAt(await this.workspace.cache(), await this.tree(), pathOfText(path));
  }

  /**
   * The bytes of a file of a finished version, as they come.
   *
   * @param file Its path, or what `listFiles` gave: a name that is not UTF-8 can be said no other way.
   * @throws {DatasetError} `path-missing`; `unsupported` for what is no file
   */
  async *readFile(file: string | Entry): AsyncIterable<Uint8Array> {
    const path = typeof file === "string" ? pathOfText(file) : file.path;
    yield* readFile(await this.workspace.cache(), await this.tree(), path);
  }

  /** Asks the source of every link whether it is what was linked; a source that cannot be asked is in the answer too. */
  async verifyLinks(options: VerifyLinksOptions = {}): Promise<VerifiedLinks> {
    return verifyLinks(this.listFiles(), this.workspace.links(), options);
  }

  /** What `other` has that this version has not, and the other way round. */
  async diff(other: Dataset): Promise<TreeDiff> {
    return diffOf(await this.tree(), await other.tree(), asyncRangeLoader(await this.workspace.cache()));
  }

  /**
   * Mounts this version at a folder. A process of its own serves it and lives on when this one ends.
   *
   * @throws {DatasetError} `mountpoint-unfit`, `mount-refused`, `version-unfinished`
   */
  async mount(mountpoint: string, options: MountOptions = {}): Promise<MountInfo> {
    const { row: dataset, current: version, remote } = this;
    return mountVersion(this.workspace, { dataset, version, remote }, mountpoint, options);
  }

  /** The tree of a finished version. @throws {DatasetError} `version-unfinished` */
  async tree(): Promise<Tree> {
    return (this.#tree ??= openVersionTree(await this.workspace.cache(), this.current));
  }

  /** Lets go of a draft's file; the draft stays. */
  close(): void {
    if (this.draft) closeDraft(this.draft);
    this.draft = undefined;
  }

  private open(): Draft {
    if (this.draft) return this.draft;
    const message = `Cannot change "${this.reference}": it is finished; create a child with --parent ${this.reference}`;
    throw new DatasetError("version-final", { version: this.reference }, message);
  }
}

function addCounts(total: StageCounts, counts: StageCounts): void {
  for (const key of ["added", "modified", "removed", "files"] as const) total[key] += counts[key];
  total.skipped.push(...counts.skipped);
}

function notUploaded(reference: string): DatasetError<"conflict"> {
  const message = `Cannot finalize "${reference}": files are staged that are not uploaded; varve upload sends them`;
  return new DatasetError("conflict", { what: reference }, message);
}
