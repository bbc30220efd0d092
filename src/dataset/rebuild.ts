/** A lost catalog made anew from what lies beside the data: names, and the records of versions. */
import type { Catalog } from "../catalog/catalog.js";
import { mapInOrder } from "../content/in-order.js";
import { DatasetError, isDatasetError, messageOf } from "../errors.js";
import type { ObjectKey, Remote } from "../remote/remote.js";
import { takeAmendments } from "./amendment-objects.js";
import { importRecord, isFinished } from "./history.js";
import { NAMES_PREFIX, readNameAt } from "./names.js";
import { DATASETS_PREFIX, type VersionRecord, isRecordKey, readRecordUnlessDeleted } from "./record.js";
import { type DatasetName, textOfDataset } from "./reference.js";
import type { OpenedRemote, Workspace } from "./workspace.js";

export interface Rebuilt {
  /** The remotes that were looked through. */
  remotes: { id: string; url: string }[];
  /** Remotes that versions found there need too, and that were not looked through. */
  needed: { id: string; url: string }[];
  datasets: number;
  versions: number;
  /** Of those, versions this catalog did not have. */
  added: number;
  /** What could not be taken in, and why. */
  problems: { what: string; problem: string }[];
}

/** Records and names are small: what costs is the way there and back. */
const READS_AT_ONCE = 32;

/**
 * Enters everything that remotes tell of themselves. What the catalog has already stays as it is; what is damaged, or
 * contradicts it, is left out and named. Costs a request a version.
 *
 * @param places Names, URLs or absolute paths of remotes.
 */
export async function rebuildCatalog(workspace: Workspace, places: readonly string[]): Promise<Rebuilt> {
  const rebuilding = new Rebuilding(workspace, await workspace.catalog());
  for (const place of places)
    await rebuilding.trying(place, async () => {
      const opened = await workspace.openRemote(place, { mustExist: true });
      await rebuilding.takeIn(await workspace.urlOf(place), opened);
    });
  return rebuilding.rebuilt();
}

/** Everything a remote tells of itself, in the catalog of its reader. @throws {DatasetError} where there is no remote */
export async function readAll(
  workspace: Workspace,
  place: string,
): Promise<{ reader: Workspace; problems: Rebuilt["problems"] }> {
  const url = await workspace.urlOf(place);
  const reader = workspace.readerOf(url);
  await reader.openRemote(url);
  const { problems } = await rebuildCatalog(reader, [url]);
  return { reader, problems };
}

type Named = DatasetName & { id: string; createdAtMs?: number | undefined };

class Rebuilding {
  readonly #remotes = new Map<string, string>();
  readonly #needed = new Map<string, string>();
  readonly #datasets = new Set<string>();
  readonly #versions = new Set<string>();
  readonly #problems: Rebuilt["problems"] = [];
  #added = 0;

  constructor(
    private readonly workspace: Workspace,
    private readonly catalog: Catalog,
  ) {}

  async takeIn(url: string, opened: OpenedRemote): Promise<void> {
    const { id, remote } = opened;
    this.#remotes.set(id, url);
    const names = await this.#readAll(remote, NAMES_PREFIX, () => true, readNameAt);
    const records = await this.#readAll(remote, DATASETS_PREFIX, isRecordKey, readRecordUnlessDeleted);
    const datasets = datasetsOf(
      names,
      records.map(({ value }) => value),
    );
    for (const dataset of datasets)
      await this.trying(`${remote.url}: ${textOfDataset(dataset)}`, () => this.#takeDataset(dataset));
    for (const { key, value } of records)
      if (this.#datasets.has(value.dataset.id))
        await this.trying(`${remote.url}/${key}`, () => this.#takeVersion(value));
    for (const dataset of datasets)
      await this.trying(`${remote.url}: ${textOfDataset(dataset)}`, () =>
        this.#takeAmendments(opened, dataset),
      );
  }

  /** What fails is noted, and the rest goes on. */
  async trying<Value>(what: string, work: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!isDatasetError(error) || isDatasetError(error, "cancelled")) throw error;
      this.#problems.push({ what, problem: messageOf(error) });
      return undefined;
    }
  }

  rebuilt(): Rebuilt {
    const remotes = [...this.#remotes].map(([id, url]) => ({ id, url }));
    const needed = [...this.#needed]
      .filter(([id]) => !this.#remotes.has(id))
      .map(([id, url]) => ({ id, url }));
    const counts = { datasets: this.#datasets.size, versions: this.#versions.size, added: this.#added };
    const problems = this.#problems.toSorted((a, b) => (a.what < b.what ? -1 : 1)); // Records are read side by side.
    return { remotes, needed, ...counts, problems };
  }

  async #readAll<Value>(
    remote: Remote,
    prefix: string,
    isWanted: (key: ObjectKey) => boolean,
    read: (remote: Remote, key: ObjectKey) => Promise<Value | undefined>,
  ): Promise<{ key: ObjectKey; value: Value }[]> {
    const keys: ObjectKey[] = [];
    for await (const { key } of remote.list(prefix)) if (isWanted(key)) keys.push(key);
    const found: { key: ObjectKey; value: Value }[] = [];
    const readOne = (key: ObjectKey) =>
      this.trying(`${remote.url}/${key}`, async () => ({ key, value: await read(remote, key) }));
    for await (const one of mapInOrder(keys, READS_AT_ONCE, readOne)) {
      const { key, value } = one ?? {};
      if (key !== undefined && value !== undefined) found.push({ key, value });
    }
    return found;
  }

  /** One that the catalog knows by another name keeps it, until an amendment renames it. */
  async #takeDataset(dataset: Named): Promise<void> {
    const known = await this.catalog.datasetById(dataset.id);
    const { id } = known ?? (await this.catalog.ensureDataset(dataset));
    if (id !== dataset.id) throw namesake(dataset);
    this.#datasets.add(id);
  }

  async #takeAmendments(opened: OpenedRemote, { id }: Named): Promise<void> {
    const dataset = this.#datasets.has(id) ? await this.catalog.datasetById(id) : undefined;
    if (dataset) await takeAmendments(this.workspace, opened, dataset);
  }

  async #takeVersion(record: VersionRecord): Promise<void> {
    const known = await this.catalog.versionById(record.id);
    await importRecord(this.catalog, record);
    this.#versions.add(record.id);
    for (const { id, url } of record.remotes) this.#needed.set(id, url);
    if (!known || !isFinished(known)) this.#added += 1;
  }
}

function namesake(dataset: Named): DatasetError<"conflict"> {
  const name = textOfDataset(dataset);
  const message = `Cannot enter the dataset "${name}": the catalog has another of that name`;
  return new DatasetError("conflict", { what: name }, message);
}

/** Each dataset under the name it has now; the time of one that tells none is that of its first version. */
function datasetsOf(names: readonly { value: Named }[], records: readonly VersionRecord[]): Named[] {
  const datasets = new Map<string, Named>();
  const firstMs = new Map<string, number>();
  for (const { value } of names) datasets.set(value.id, value);
  for (const { dataset, createdAtMs } of records) {
    if (!datasets.has(dataset.id)) datasets.set(dataset.id, dataset);
    firstMs.set(dataset.id, Math.min(createdAtMs, firstMs.get(dataset.id) ?? Infinity));
  }
  return [...datasets.values()].map((dataset) => ({
    ...dataset,
    createdAtMs: dataset.createdAtMs ?? firstMs.get(dataset.id),
  }));
}
