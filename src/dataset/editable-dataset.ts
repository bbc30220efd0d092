/** Changing a draft: staging files, links and removals, uploading, and completing it. */
import { resolve } from "node:path";
import { DatasetError } from "../errors.js";
import { foldersOf } from "../home.js";
import { bytesOfText, pathOfText } from "../paths.js";
import { AnnotatedDataset } from "./annotated-dataset.js";
import { type CommitOptions, type CommitResult, commitDraft } from "./commit.js";
import { discardDraft } from "./draft.js";
import { type LinkOptions, stageLinks } from "./external-files.js";
import { findVersion } from "./history.js";
import { removeLinks, removeMatching } from "./remove.js";
import { type StageCounts, stageFolder } from "./stage-folder.js";
import { stageFile } from "./stage-file.js";
import { uploadDraft } from "./upload-draft.js";
import type { UploadOptions, UploadResult } from "./upload.js";

export interface AddOptions {
  /** Folder inside the dataset. Default: its root. */
  to?: string | undefined;
  /** Patterns of what to take; one without `/` is held against names, else against the path below the folder. */
  wildcards?: readonly string[] | undefined;
  /** Default true. */
  recursive?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface FinalizeOptions extends CommitOptions {
  /** Default false: a draft with files not yet uploaded is refused. */
  autoUpload?: boolean | undefined;
}

export abstract class EditableDataset extends AnnotatedDataset {
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
}

function addCounts(total: StageCounts, counts: StageCounts): void {
  for (const key of ["added", "modified", "removed", "files"] as const) total[key] += counts[key];
  total.skipped.push(...counts.skipped);
}

function notUploaded(reference: string): DatasetError<"conflict"> {
  const message = `Cannot finalize "${reference}": files are staged that are not uploaded; varve upload sends them`;
  return new DatasetError("conflict", { what: reference }, message);
}
