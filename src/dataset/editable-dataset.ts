/** Changing a draft: staging files, links and removals, uploading, and completing it. */
import { resolve } from "node:path";
import { DatasetError } from "../errors.js";
import type { Entry } from "../manifest/entry.js";
import { foldersOf } from "../home.js";
import { bytesOfText, pathOfText } from "../paths.js";
import { addFiles } from "./add-files.js";
import { ADD_OPTIONS, type AddOptions, SYNC_OPTIONS, type SyncFolderOptions, placeOf } from "./addition.js";
import { AmendableDataset } from "./amendable-dataset.js";
import type { CommitOptions, CommitResult } from "./commit.js";
import type { Draft } from "./draft.js";
import { whileEnding, whileFilling } from "./draft-lock.js";
import { withRemote } from "./draft-remote.js";
import { LINK_OPTIONS, type LinkOptions, stageLinks } from "./external-files.js";
import { findVersion } from "./history.js";
import { type OptionNames, checkOptions, listOf } from "./known-options.js";
import { bundleFolderOf } from "./new-draft.js";
import { discardWithBundle, finalizeDraft } from "./offline-finish.js";
import { removeLinks, removeSelected } from "./remove.js";
import { SELECT_OPTIONS, type SelectOptions, filesOf, selectEntries, selectLinks } from "./select-entries.js";
import type { StageCounts } from "./stage-counts.js";
import { stageFolder } from "./stage-folder.js";
import { uploadDraft } from "./upload-draft.js";
import { SEND_OPTIONS, type UploadOptions, type UploadResult } from "./upload.js";

export interface ToRemote {
  /** Sends it there instead, while nothing of it has been sent: a name, URL or absolute path. Default: where it was made for. */
  remote?: string | undefined;
}

export interface FinalizeOptions extends CommitOptions, ToRemote {
  /** Default false: a draft with files not yet uploaded is refused. */
  autoUpload?: boolean | undefined;
}

const UPLOAD_OPTIONS: OptionNames<UploadOptions & ToRemote> = { ...SEND_OPTIONS, remote: true };

const FINALIZE_OPTIONS: OptionNames<FinalizeOptions> = {
  ...UPLOAD_OPTIONS,
  openOverlaid: true,
  unlessEqual: true,
  publish: true,
  description: true,
  autoUpload: true,
};

export abstract class EditableDataset extends AmendableDataset {
  /**
   * Stages local files: the contents of a folder, or one file. Nothing is sent before `upload`.
   *
   * @throws {DatasetError} `version-final`, `not-found`, `source-unreadable`, `bad-input`; `conflict` while it is completed
   */
  async addFiles(paths: string | readonly string[], options: AddOptions = {}): Promise<StageCounts> {
    checkOptions("addFiles", options, ADD_OPTIONS);
    const given = { ...options, leaveOut: this.ownFolders() };
    const listed = listOf("addFiles", paths);
    return this.fill(({ tree }) => addFiles(tree, this.workspace.stamps(), listed, given));
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
    checkOptions("addExternalFiles", options, LINK_OPTIONS);
    if (this.workspace.isOffline) throw noLinksOffline(this.reference);
    const listed = listOf("addExternalFiles", urls);
    const to = pathOfText(options.to ?? "");
    return this.fill(({ tree }) => stageLinks(tree, this.workspace.links(), listed, to, options));
  }

  /**
   * Stages the removal of files, folders (with all below them), whatever matches a wildcard, and links by their URL; a URL
   * that ends with `/` is the folder with all below it. What each pattern means: `docs/wildcards.md`.
   *
   * @returns How many files and links are no more.
   * @throws {DatasetError} `version-final`; `path-missing` when a path, pattern or URL matches nothing, and `bad-input`
   *   when none is given: nothing is removed then
   */
  async removeFiles(paths: string | readonly string[], options: SelectOptions = {}): Promise<number> {
    checkOptions("removeFiles", options, SELECT_OPTIONS);
    const listed = listOf("removeFiles", paths);
    return this.fill(({ tree }) => removeSelected(tree, listed, options));
  }

  /**
   * Stages the removal of the links that lead to these URLs or local paths; one that ends with `/` is the folder with all
   * below it.
   *
   * @returns How many links are no more.
   * @throws {DatasetError} `version-final`; `path-missing` when none leads to one of them: nothing is removed then
   */
  async removeExternalFiles(urls: string | readonly string[]): Promise<number> {
    const listed = listOf("removeExternalFiles", urls);
    return this.fill(({ tree }) => removeLinks(tree, listed));
  }

  /** What `removeFiles` would remove: files and links, not the folders they lie in. @throws {DatasetError} as it does */
  async *selectFiles(paths: string | readonly string[], options: SelectOptions = {}): AsyncIterable<Entry> {
    checkOptions("selectFiles", options, SELECT_OPTIONS);
    const { tree } = this.open();
    yield* filesOf(tree, await selectEntries(tree, listOf("selectFiles", paths), options));
  }

  /** What `removeExternalFiles` would remove. @throws {DatasetError} as it does */
  async *selectExternalFiles(urls: string | readonly string[]): AsyncIterable<Entry> {
    yield* await selectLinks(this.open().tree, listOf("selectExternalFiles", urls));
  }

  /** Stages what makes a folder of the dataset equal to a local folder: what it lacks is removed. */
  async syncFolder(path: string, options: SyncFolderOptions = {}): Promise<StageCounts> {
    checkOptions("syncFolder", options, SYNC_OPTIONS);
    const from = bytesOfText(resolve(path));
    const given = { ...options, removeMissing: true, leaveOut: this.ownFolders() };
    const to = placeOf(options);
    return this.fill(({ tree }) => stageFolder(tree, this.workspace.stamps(), from, to, given));
  }

  /** A folder that is walked may hold them, as a user's home folder does. */
  private ownFolders(): Set<string> {
    return new Set(foldersOf(this.workspace.home).map(bytesOfText));
  }

  /**
   * Sends the content of every staged file that is not in the remote yet.
   *
   * @throws {DatasetError} `version-final`, `bad-input`; `conflict` for another `remote` once something was sent
   */
  async upload(options: UploadOptions & ToRemote = {}): Promise<UploadResult> {
    checkOptions("upload", options, UPLOAD_OPTIONS);
    return this.fill(async () => uploadDraft(this.workspace, await this.sentTo(options.remote), options));
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
   * @throws {DatasetError} `version-final`; `conflict` when files are not uploaded and `autoUpload` is off, when the label
   *   was taken in the remote meanwhile, or while anything else fills the draft
   */
  async finalize(options: FinalizeOptions = {}): Promise<CommitResult> {
    checkOptions("finalize", options, FINALIZE_OPTIONS);
    const result = await whileEnding(this.workspace, this.open(), async () => {
      if (this.isDirty && !options.autoUpload) throw notUploaded(this.reference);
      return finalizeDraft(this.workspace, await this.sentTo(options.remote), options);
    });
    this.draft = undefined;
    const found = await findVersion(this.workspace, result.id);
    this.current = found.version;
    return result;
  }

  private async fill<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    const draft = this.open();
    return whileFilling(this.workspace, draft, () => work(draft));
  }

  private async sentTo(remote: string | undefined): Promise<Draft> {
    const draft = await withRemote(this.workspace, this.open(), remote);
    this.draft = draft;
    this.current = draft.version;
    return draft;
  }

  /** The folder of the bundle that a draft made offline goes to; undefined for every other version. */
  get bundleFolder(): string | undefined {
    return this.draft && bundleFolderOf(this.workspace, this.draft);
  }

  /** Throws a draft away. @throws {DatasetError} `version-final` */
  async discard(): Promise<void> {
    const draft = this.open();
    await whileEnding(this.workspace, draft, () => discardWithBundle(this.workspace, draft));
    this.draft = undefined;
  }
}

function noLinksOffline(what: string): DatasetError<"offline"> {
  const message = `Cannot add links to "${what}" offline: their sources would have to be asked, and a bundle holds bytes`;
  return new DatasetError("offline", { what }, message);
}

function notUploaded(reference: string): DatasetError<"conflict"> {
  const message = `Cannot finalize "${reference}": files are staged that are not uploaded; varve upload sends them`;
  return new DatasetError("conflict", { what: reference }, message);
}
