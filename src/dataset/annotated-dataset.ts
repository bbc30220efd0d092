/** What is told of a version beside its files: metadata by name. */
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
import { type EncodedValue, type MetadataValue, encodeValue } from "./metadata-value.js";
import { RelatedDataset } from "./related-dataset.js";

export abstract class AnnotatedDataset extends RelatedDataset {
  /**
   * Keeps a value with this version under a name, replacing one of the same name. A string is text, a `Uint8Array` bytes,
   * all else JSON; each comes back as what it was put in as. It is no part of the digests, and children do not have it
   * unless they ask (`inheritMetadata`).
   *
   * @throws {DatasetError} `version-final`; `bad-input` for what would not come back as it was, and over 64 MiB
   */
  async setMetadata(value: MetadataValue, options: MetadataOptions = {}): Promise<MetadataInfo> {
    return this.keepMetadata(encodeValue(value, options.type), options);
  }

  /**
   * As `setMetadata`, from a file: JSON becomes a value, all else (CSV, Parquet, Arrow, numpy …) stays bytes with the
   * media type of its ending.
   *
   * @throws {DatasetError} `not-found`, `source-unreadable`, `version-final`, `bad-input`
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

  /** @throws {DatasetError} `not-found` when there is none of that name; `version-final` */
  async deleteMetadata(name: string = DEFAULT_NAME): Promise<void> {
    await deleteMetadata(this.workspace, this.open().version, name);
  }

  private keepMetadata(value: EncodedValue, { name = DEFAULT_NAME }: MetadataOptions): Promise<MetadataInfo> {
    return setMetadata(this.workspace, this.open(), name, value);
  }
}
