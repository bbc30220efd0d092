/** Reading a version: its entries, the bytes of its files, and mounting it. */
import type { MountInfo, MountOptions } from "../daemon/config.js";
import { type LocalCopy, type LocalCopyOptions, makeLocalCopy } from "./copies/local-copy.js";
import { type MutableCopy, type MutableCopyOptions, makeMutableCopy } from "./copies/mutable-copy.js";
import type { Entry } from "../manifest/entry.js";
import { pathOfText } from "../paths.js";
import { DatasetVersion } from "./dataset-version.js";
import { LIST_OPTIONS, type ListOptions, entryAt, list, listingOf, readFile } from "./listing.js";
import { checkOptions } from "./known-options.js";
import type { FoundVersion } from "./history.js";
import { mountVersion } from "./mounting.js";
import type { VerifiedContent } from "./verify/verify-content.js";
import type { VerifiedFolder } from "./verify/verify-folder.js";
import { type VerifyOptions, verifyVersion } from "./verify/verify-version.js";
import { type VerifiedLinks, type VerifyLinksOptions, verifyLinks } from "./verify-links.js";

export abstract class ReadableDataset extends DatasetVersion {
  /**
   * Entries below a folder, `recursive` unless told otherwise; in place of the folder a pattern may be given.
   *
   * @throws {DatasetError} `path-missing`, `bad-input`
   */
  async *listFiles(directory = "", options: ListOptions = {}): AsyncIterable<Entry> {
    checkOptions("listFiles", options, LIST_OPTIONS);
    const listing = this.draft?.tree ?? listingOf(await this.workspace.cache(), await this.tree());
    yield* list(listing, directory, options);
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

  /**
   * Whether all that is stored of this version is still there and right, read from its remotes past the cache; or, with
   * `folder`, whether that folder holds the files, folders and symbolic links of this version and nothing else.
   * By `size` nothing is read but listings. What is wrong is in the answer, with the paths it costs, and throws nothing.
   *
   * @throws {DatasetError} `version-unfinished`; `not-found` when there is no such folder; `bad-input`; `cancelled`; what the
   *   remote throws when it cannot be asked
   * @example
   * const { damaged } = await dataset.verify();
   * const { differences } = await dataset.verify({ folder: "./cifar10" });
   */
  async verify(options: VerifyOptions & { folder: string }): Promise<VerifiedFolder>;
  async verify(options?: VerifyOptions & { folder?: undefined }): Promise<VerifiedContent>;
  async verify(options?: VerifyOptions): Promise<VerifiedContent | VerifiedFolder>;
  async verify(options: VerifyOptions = {}): Promise<VerifiedContent | VerifiedFolder> {
    return verifyVersion(this.workspace, this.found, options);
  }

  /** Asks the source of every link whether it is what was linked; a source that cannot be asked is in the answer too. */
  async verifyLinks(options: VerifyLinksOptions = {}): Promise<VerifiedLinks> {
    return verifyLinks(this.listFiles(), this.workspace.links(), options);
  }

  /**
   * Mounts this version at a folder. A process of its own serves it and lives on when this one ends.
   *
   * @throws {DatasetError} `mountpoint-unfit`, `mount-refused`, `version-unfinished`
   */
  async mount(mountpoint: string, options: MountOptions = {}): Promise<MountInfo> {
    return mountVersion(this.workspace, this.found, mountpoint, options);
  }

  /**
   * This version to read on this machine, at a path that stays: a mount where that is possible and all is asked for, else
   * files that nobody may write to. It stays at least as long as this process; asked for again, what was changed in it is restored.
   *
   * @throws {DatasetError} `path-missing`, `bad-input`, `cache-full`, `disk-full`, `mount-refused` where `mode` is `mount`,
   *   `version-unfinished`
   * @example
   * const { path } = await dataset.getLocalCopy();
   * const mine = await dataset.getLocalCopy({ part: rank, numParts: worldSize });
   */
  async getLocalCopy(options: LocalCopyOptions = {}): Promise<LocalCopy> {
    return makeLocalCopy(this.workspace, this.found, options);
  }

  /**
   * Copies this version, or some of its files, into a folder to work in: with permissions, times, links, empty folders
   * and extended attributes. The folder is remembered, so that `varve sync` of it makes a child of this version.
   *
   * @param targetFolder Made where there is none.
   * @throws {DatasetError} `conflict` when it holds something and `overwrite` is off; `bad-input` for a folder that must
   *   not be filled, such as a home folder; `path-missing`, `disk-full`, `target-unwritable`, `version-unfinished`
   * @example
   * const { path } = await dataset.getMutableLocalCopy("./cifar10", { globs: ["train/*.png"] });
   */
  async getMutableLocalCopy(targetFolder: string, options: MutableCopyOptions = {}): Promise<MutableCopy> {
    return makeMutableCopy(this.workspace, this.found, targetFolder, options);
  }

  protected get found(): FoundVersion {
    return { dataset: this.row, version: this.current, remote: this.remote };
  }
}
