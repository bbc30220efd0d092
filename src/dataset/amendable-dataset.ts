/** What may be said of a version and its dataset at any time: description, tags, whether it is published or archived. */
import { changeTags, describeVersion, publishVersion, setArchived, setTags, tagsOf } from "./annotate.js";
import { AnnotatedDataset } from "./annotated-dataset.js";
import type { Subject } from "./subject.js";

export interface OfDataset {
  /** Of the dataset instead of this version of it. Default false. */
  dataset?: boolean | undefined;
}

export abstract class AmendableDataset extends AnnotatedDataset {
  /** What this version is, in its maker's words. */
  get description(): string {
    return this.current.description;
  }

  /** `draft`, `committing`, `completed`, `published`; a version that is archived keeps its state. */
  get state(): string {
    return this.current.state;
  }

  /** Whether lists and `latest` leave this version out. */
  get isArchived(): boolean {
    return this.current.archived === 1;
  }

  /** Whether this version was published: marked as one to rely on. */
  get isPublished(): boolean {
    return this.current.state === "published";
  }

  /** @throws {DatasetError} as `addTags` */
  async setDescription(description: string): Promise<void> {
    await describeVersion(this.workspace, { dataset: this.row, version: this.current }, description);
    await this.lookAgain();
  }

  /** The tags of this version, or of its dataset, sorted. */
  async tags(options: OfDataset = {}): Promise<string[]> {
    return tagsOf(this.workspace, this.subject(options));
  }

  /** Adds tags; others see them at their next look. @throws {DatasetError} `bad-input`; `offline`, `remote-failed`, `remote-refused` */
  async addTags(tags: string | readonly string[], options: OfDataset = {}): Promise<void> {
    await changeTags(this.workspace, this.subject(options), { add: listOf(tags) });
  }

  /** Removes tags; one that is not there is no error. @throws {DatasetError} as `addTags` */
  async removeTags(tags: string | readonly string[], options: OfDataset = {}): Promise<void> {
    await changeTags(this.workspace, this.subject(options), { remove: listOf(tags) });
  }

  /** Makes these the only tags. @throws {DatasetError} as `addTags` */
  async setTags(tags: readonly string[], options: OfDataset = {}): Promise<void> {
    await setTags(this.workspace, this.subject(options), tags);
  }

  /** Publishes this version: it can be relied on, and is deleted only by force. @throws {DatasetError} `version-unfinished`; as `addTags` */
  async publish(): Promise<void> {
    await publishVersion(this.workspace, { dataset: this.row, version: this.current });
    await this.lookAgain();
  }

  /** Leaves this version, or its dataset, out of lists and of `latest`. It can still be read by its label. @throws {DatasetError} as `publish` */
  async archive(options: OfDataset = {}): Promise<void> {
    await setArchived(this.workspace, this.subject(options), true);
    await this.lookAgain();
  }

  /** Takes it into lists again. @throws {DatasetError} as `publish` */
  async unarchive(options: OfDataset = {}): Promise<void> {
    await setArchived(this.workspace, this.subject(options), false);
    await this.lookAgain();
  }

  private subject({ dataset = false }: OfDataset): Subject {
    return { dataset: this.row, version: dataset ? undefined : this.current };
  }

  /** What the catalog says of this version now. */
  protected async lookAgain(): Promise<void> {
    const catalog = await this.workspace.catalog();
    this.current = (await catalog.versionById(this.current.id)) ?? this.current;
    this.row = (await catalog.datasetById(this.row.id)) ?? this.row;
  }
}

function listOf(tags: string | readonly string[]): readonly string[] {
  return typeof tags === "string" ? [tags] : tags;
}
