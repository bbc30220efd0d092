/** The SDK's public names. */
export { Dataset } from "./dataset/dataset.js";
export type { AddOptions, SyncFolderOptions } from "./dataset/addition.js";
export type { DeleteQuery } from "./dataset/delete.js";
export type { Deleted, DeleteOptions } from "./dataset/delete-version.js";
export type { FinalizeOptions } from "./dataset/editable-dataset.js";
export type { OfDataset } from "./dataset/amendable-dataset.js";
export type { CopyCounts, CopyProgress } from "./dataset/copies/make-copy.js";
export type { LocalCopy, LocalCopyOptions } from "./dataset/copies/local-copy.js";
export type { CopyOptions, MutableCopy, MutableCopyOptions } from "./dataset/copies/mutable-copy.js";
export type { CopySelection } from "./dataset/copies/selection.js";
export type { CommitResult } from "./dataset/commit.js";
export type { OverlayCommit } from "./dataset/commit-overlay.js";
export type { NewVersionOptions } from "./dataset/create-version.js";
export type { CreateOptions, ParentVersion } from "./dataset/draft.js";
export type { GetOptions, Wanted } from "./dataset/get-version.js";
export type { ListOfVersionsOptions, ListedDataset, ListedVersion } from "./dataset/list-datasets.js";
export type { VersionQuery } from "./dataset/query.js";
export type { VersionFilter } from "./dataset/version-filter.js";
export type { ImportOptions, ImportedBundleVersion } from "./dataset/import-bundle.js";
export { Job, type JobUse } from "./dataset/job.js";
export type { LinkOptions } from "./dataset/external-files.js";
export type { MountInfo, MountOptions } from "./daemon/config.js";
export { mountAll } from "./dataset/mounting.js";
export type { SelectOptions } from "./dataset/select-entries.js";
export type { Skipped, StageCounts } from "./dataset/stage-counts.js";
export type { SquashOptions, SquashSources } from "./dataset/squash.js";
export { syncVersion, type SyncOptions, type SyncResult } from "./dataset/sync.js";
export type { UploadOptions, UploadProgress, UploadResult } from "./dataset/upload.js";
export type { Damage, DamageState } from "./dataset/verify/damage.js";
export type { VerifiedContent } from "./dataset/verify/verify-content.js";
export type { FolderDifference, FolderState, VerifiedFolder } from "./dataset/verify/verify-folder.js";
export type { VerifyOptions } from "./dataset/verify/verify-version.js";
export type { Drift, LinkState, VerifiedLinks, VerifyLinksOptions } from "./dataset/verify-links.js";
export { Workspace, type WithWorkspace, type WorkspaceOptions } from "./dataset/workspace.js";
export { type EventKind, watch, type WatchEvent, type WatchOptions } from "./dataset/watch.js";
export type { FileWithMetadata } from "./dataset/annotated-dataset.js";
export type { FileFields } from "./dataset/file-metadata/fields.js";
export type { FileMetadataItem, FileMetadataOptions } from "./dataset/file-metadata/file-metadata.js";
export type { Selection } from "./dataset/file-metadata/select.js";
export type { MetadataInfo, MetadataOptions } from "./dataset/metadata.js";
export type { MetadataForm, MetadataValue } from "./dataset/metadata-value.js";
export type { PreviewLimits } from "./dataset/reports/candidates.js";
export type { ExportedReport } from "./dataset/reports/export.js";
export type { VersionLogger } from "./dataset/reports/logger.js";
export type { Report, ReportKind } from "./dataset/reports/report.js";
export { DatasetError, type FailureCode, type Failures, isDatasetError } from "./errors.js";
export type { Comparison, DescendantVersion } from "./dataset/related-dataset.js";
export type { MergeMode } from "./dataset/layers.js";
export type { Overridden } from "./dataset/overridden.js";
export type { Home } from "./home.js";
export {
  type DirectoryEntry,
  type Entry,
  EntryType,
  type FileEntry,
  type LinkEntry,
  type SymlinkEntry,
} from "./manifest/entry.js";
export type { TreeDiff } from "./manifest/diff.js";
