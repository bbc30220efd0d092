/** What is told of a version beside its files: metadata by name and of single files, reports. */
import {
  DEFAULT_NAME,
  type MetadataInfo,
  type MetadataOptions,
  deleteMetadata,
  listMetadata,
  noSuchMetadata,
  readMetadata,
  setMetadata,
  valueOfBytes,
  valueOfFile,
} from "./metadata.js";
import {
  type FileMetadataItem,
  type FileMetadataOptions,
  amendFileMetadata,
  fileMetadataAt,
  setFileMetadata,
} from "./file-metadata/file-metadata.js";
import type { FileFields } from "./file-metadata/fields.js";
import { readItems } from "./file-metadata/read-rows.js";
import { type Selection, selectFiles } from "./file-metadata/select.js";
import { type EncodedValue, type MetadataValue, encodeValue } from "./metadata-value.js";
import { RelatedDataset } from "./related-dataset.js";
import { type ExportedReport, exportReports } from "./reports/export.js";
import type { VersionLogger } from "./reports/logger.js";
import type { Report } from "./reports/report.js";
import { contentOfReport, listReports, loggerOf } from "./reports/version-reports.js";
import { selectionSource } from "./subset.js";
import { type TreePath, pathOfText } from "../paths.js";

/** A file a query gives. */
export interface FileWithMetadata {
  /** A byte string, as in `Entry`. */
  path: TreePath;
  metadata: FileFields;
}

export abstract class AnnotatedDataset extends RelatedDataset {
  /**
   * Keeps a value with this version under a name, replacing one of the same name. A string is text, a `Uint8Array` bytes,
   * all else JSON; each comes back as what it was put in as. It is no part of the digests, and children do not have it
   * unless they ask (`inheritMetadata`).
   *
   * @throws {DatasetError} `bad-input` for what would not come back as it was, and over 64 MiB
   */
  async setMetadata(value: MetadataValue, options: MetadataOptions = {}): Promise<MetadataInfo> {
    return this.keepMetadata(encodeValue(value, options.type), options);
  }

  /**
   * As `setMetadata`, from a file: JSON becomes a value, all else (CSV, Parquet, Arrow, numpy …) stays bytes with the
   * media type of its ending.
   *
   * @throws {DatasetError} `not-found`, `source-unreadable`, `bad-input`
   */
  async setMetadataFile(path: string, options: MetadataOptions = {}): Promise<MetadataInfo> {
    return this.keepMetadata(await valueOfFile(path, options.type), options);
  }

  /** As `setMetadataFile`, from bytes. Without a type, bytes that are UTF-8 are text. @throws {DatasetError} as there */
  async setMetadataBytes(bytes: Uint8Array, options: MetadataOptions = {}): Promise<MetadataInfo> {
    return this.keepMetadata(valueOfBytes(bytes, options.type), options);
  }

  /** The value of a name; undefined where this version has none. @throws {DatasetError} `content-damaged` */
  async getMetadata(name: string = DEFAULT_NAME): Promise<MetadataValue | undefined> {
    return (await this.readMetadata(name))?.value;
  }

  /** As `getMetadata`, with what is known of it. */
  async readMetadata(
    name: string = DEFAULT_NAME,
  ): Promise<(MetadataInfo & { value: MetadataValue }) | undefined> {
    return readMetadata(this.workspace, this.current, name);
  }

  /** As `readMetadata`. @throws {DatasetError} `not-found` where there is none */
  async requireMetadata(name: string = DEFAULT_NAME): Promise<MetadataInfo & { value: MetadataValue }> {
    const found = await this.readMetadata(name);
    if (!found) throw noSuchMetadata(name, this.current);
    return found;
  }

  /** Sorted by name; costs no reading of values. */
  async listMetadata(): Promise<MetadataInfo[]> {
    return listMetadata(this.workspace, this.current);
  }

  /** @throws {DatasetError} `not-found` when there is none of that name */
  async deleteMetadata(name: string = DEFAULT_NAME): Promise<void> {
    await deleteMetadata(this.workspace, this.found, name);
  }

  /**
   * Says something of one file: fields by name, null taking one away; others stay unless `replace`. Children have it for
   * files they take over unchanged, renamed ones too.
   *
   * @throws {DatasetError} `path-missing`, `bad-input`
   */
  async setFileMetadata(
    path: string,
    fields: FileMetadataItem["fields"],
    options: FileMetadataOptions = {},
  ): Promise<void> {
    await this.setFilesMetadata([{ path, fields }], options);
  }

  /** As `setFileMetadata`, of many files; gives how many. What came before a failure stays. */
  async setFilesMetadata(
    items: Iterable<FileMetadataItem> | AsyncIterable<FileMetadataItem>,
    options: FileMetadataOptions = {},
  ): Promise<number> {
    if (this.draft) return setFileMetadata(this.draft, items, options);
    return amendFileMetadata(this.workspace, this.found, items, options);
  }

  /** As `setFilesMetadata`, from JSON lines, CSV or TSV, where a column `path` names the file each line is about. */
  async importFileMetadata(file: string, options: FileMetadataOptions = {}): Promise<number> {
    return this.setFilesMetadata(readItems(file), options);
  }

  /** What is said of one file; undefined for nothing. */
  async getFileMetadata(path: string): Promise<FileFields | undefined> {
    return fileMetadataAt(this.workspace, this.current, this.draft, pathOfText(path));
  }

  /**
   * The files of a finished version of which an expression over their metadata holds, such as `width > 100 and label = 'cat'`.
   * Costs a pass over the version's listing, in memory that does not grow with it.
   *
   * @throws {DatasetError} `bad-input`, saying where the expression is wrong; `version-unfinished`
   */
  async *query(where?: string, options: Omit<Selection, "where"> = {}): AsyncGenerator<FileWithMetadata> {
    const source = await selectionSource(this.workspace, { version: this.current });
    for await (const { path, fields } of selectFiles(source, { ...options, where }))
      yield { path, metadata: fields };
  }

  /** Where tables, plots, pictures and text about this version are reported.*/
  getLogger(): VersionLogger {
    return loggerOf(this.workspace, this.found, this.draft);
  }

  /** What was reported, in order, automatic previews among it. */
  async listReports(): Promise<Report[]> {
    return listReports(this.workspace, this.current, this.draft);
  }

  /** The content of a report. @throws {DatasetError} `content-damaged` */
  async readReport(report: Report): Promise<Uint8Array> {
    return contentOfReport(this.workspace, report, () => this.tree());
  }

  /** Writes all reports into a folder: content under safe names, tables as CSV too, and `index.json`. */
  async exportReports(folder: string): Promise<ExportedReport[]> {
    return exportReports(await this.listReports(), (report) => this.readReport(report), folder);
  }

  private keepMetadata(value: EncodedValue, { name = DEFAULT_NAME }: MetadataOptions): Promise<MetadataInfo> {
    return setMetadata(this.workspace, this.found, name, value);
  }
}
