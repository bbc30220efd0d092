/**
 * Makes a folder hold what a version holds: folders first, then files and symbolic links in the order of the tree with
 * many under way at once, then further names of files, and the folders' own times and modes last. What is there already
 * and right stays. Costs what is not, and a look at what is.
 */
import type { Cache } from "../../cache/cache.js";
import { mapInOrder } from "../../content/in-order.js";
import type { Entry } from "../../manifest/entry.js";
import type { Tree } from "../../manifest/tree.js";
import { type TreePath, parentOf } from "../../paths.js";
import { type Batch, batchesOf, pick } from "./copy-batches.js";
import { isContent, readContents } from "./copy-contents.js";
import { type EndedFolder, type Facts, type Place, Standing } from "./copy-jobs.js";
import type { CopyPool } from "./copy-pool.js";
import type { FactsFile } from "./facts-file.js";
import { firstNameOf } from "./further-names.js";
import { isLarge, writeLarge } from "./large-file.js";
import { namesToKeep } from "./names-to-keep.js";
import type { Selection } from "./selection.js";
import { type Style, wantedOf } from "./wanted.js";

export interface CopyProgress {
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
}

export interface CopyTask {
  cache: Cache;
  tree: Tree;
  selection: Selection;
  place: Place;
  style: Style;
  /** What the folder holds: nothing, what the facts say unless it was changed, or nobody knows what. */
  found: "nothing" | "as-noted" | "anything";
  /** Where what the system says of each entry is noted. */
  facts?: FactsFile | undefined;
  pool: CopyPool;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface CopyCounts {
  /** Files, external files and symbolic links in the copy, and their bytes. */
  files: number;
  bytes: number;
  /** Those that had to be written, and theirs. */
  writtenFiles: number;
  writtenBytes: number;
  /** What did not belong in the folder and was taken away. */
  removedFiles: number;
}

/** Of each thread, under way: one being written, others being fetched. */
const BATCHES_A_THREAD = 4;

/** @throws {DatasetError} `conflict`, `disk-full`, `target-unwritable`, what the cache throws; after an abort the signal's reason */
export async function makeCopy(task: CopyTask): Promise<CopyCounts> {
  try {
    return await new Copying(task).run();
  } catch (error) {
    task.signal?.throwIfAborted(); // What was under way then fails in ways of its own.
    throw error;
  }
}

class Copying {
  readonly #counts: CopyCounts;
  readonly #done = { files: 0, bytes: 0 };
  /** Of a copy that was noted: the folders that are not as they were, or that something is written in. */
  readonly #opened = new Set<TreePath>();
  /** Names of files that have another before them, which is written first. */
  readonly #links: { from: TreePath; to: TreePath }[] = [];

  constructor(private readonly task: CopyTask) {
    const { files, bytes } = task.selection;
    this.#counts = { files, bytes, writtenFiles: 0, writtenBytes: 0, removedFiles: 0 };
  }

  async run(): Promise<CopyCounts> {
    await this.#makeFolders();
    const atOnce = this.task.pool.size * BATCHES_A_THREAD;
    const batches = mapInOrder(this.#batches("contents"), atOnce, (batch) => this.#content(batch));
    for await (const same of batches) this.#advance(same.entries.length, bytesOf(same.entries));
    this.task.signal?.throwIfAborted();
    await this.#linkNames();
    await this.#endFolders();
    return this.#counts;
  }

  #batches(what: "folders" | "contents"): AsyncGenerator<Batch> {
    const { cache, tree, selection } = this.task;
    return batchesOf(cache, tree, selection, what);
  }

  /** Those above first, since each batch is awaited. */
  async #makeFolders(): Promise<void> {
    for await (const batch of this.#batches("folders"))
      await this.#open(this.task.found === "as-noted" ? await this.#changed(batch) : pathsOf(batch));
  }

  /** Makes folders, or makes them such that we may write to them until `#endFolders`. */
  async #open(paths: TreePath[]): Promise<void> {
    const { place, pool, found } = this.task;
    if (paths.length > 0) await pool.run("folders", { place, paths });
    if (found === "as-noted") for (const path of paths) this.#opened.add(path);
  }

  async #changed(batch: Batch): Promise<TreePath[]> {
    const { place, pool, facts } = this.task;
    const paths = pathsOf(batch);
    const asked = { root: place.root, paths, facts: facts!.read(batch.ordinals) };
    return (await pool.run("facts", asked)).map((index) => paths[index]!);
  }

  /** Gives what of the batch needed no writing. */
  async #content(batch: Batch): Promise<Batch> {
    this.task.signal?.throwIfAborted();
    const own = this.task.style === "kept" ? await this.#withoutFurtherNames(batch) : batch;
    const { content, attributes } = await this.#lacking(own);
    if (attributes.length > 0) await this.#adjust(pick(own, attributes));
    if (content.length > 0) await this.#write(pick(own, content));
    const written = new Set(content.map((index) => own.entries[index]!));
    return pick(
      batch,
      indexesWhere(batch.entries, (entry) => !written.has(entry)),
    );
  }

  async #withoutFurtherNames(batch: Batch): Promise<Batch> {
    const { cache, tree, selection } = this.task;
    const own: number[] = [];
    for (const [index, entry] of batch.entries.entries()) {
      const first = firstNameOf(entry);
      const ordinal = first === undefined ? undefined : await cache.complete(() => tree.find(first));
      if (ordinal !== undefined && selection.has(ordinal)) this.#links.push({ from: first!, to: entry.path });
      else own.push(index);
    }
    return pick(batch, own);
  }

  /** Indexes of what is to be written, and of what lacks but its attributes. */
  async #lacking(batch: Batch): Promise<{ content: number[]; attributes: number[] }> {
    const { found, facts, place, pool, style } = this.task;
    const { root } = place;
    if (found === "nothing") return { content: [...batch.entries.keys()], attributes: [] };
    if (found === "as-noted") {
      const changed = new Set(await this.#changed(batch));
      await this.#open([...new Set([...changed].map(parentOf))]);
      return { content: indexesWhere(batch.entries, ({ path }) => changed.has(path)), attributes: [] };
    }
    const entries = batch.entries.map((entry) => wantedOf(entry, style));
    const compared = await pool.run("compare", { root, entries });
    facts?.write(batch.ordinals, compared.facts); // Of what is not right they are written again.
    const those = (...sought: Standing[]) =>
      compared.standings.flatMap((standing, index) => (sought.includes(standing) ? [index] : []));
    return { content: those(Standing.content, Standing.missing), attributes: those(Standing.attributes) };
  }

  async #adjust({ entries, ordinals }: Batch): Promise<void> {
    const { place, pool, style, facts } = this.task;
    const wanted = entries.map((entry) => wantedOf(entry, style));
    const made = await pool.run("adjust", { place, entries: wanted });
    facts?.write(ordinals, made);
  }

  async #write(batch: Batch): Promise<void> {
    const { cache, place, pool, style, signal, facts } = this.task;
    const { entries, ordinals } = batch;
    const [only] = entries;
    let made: Facts;
    if (only && isContent(only) && isLarge(only)) {
      const onWritten = (bytes: number) => this.#advance(0, bytes);
      made = await writeLarge({ ...this.task, onWritten }, only);
      this.#advance(1, 0);
    } else {
      const bytes = await readContents(cache, entries, signal);
      signal?.throwIfAborted();
      const wanted = entries.map((entry) => wantedOf(entry, style));
      const sizeBytes = bytes.length;
      made = await pool.run("write", { place, entries: wanted, bytes }, bytes.buffer);
      this.#advance(entries.length, sizeBytes);
    }
    facts?.write(ordinals, made);
    this.#counts.writtenFiles += entries.length;
    this.#counts.writtenBytes += bytesOf(entries);
  }

  async #linkNames(): Promise<void> {
    const { place, pool } = this.task;
    if (this.#links.length > 0) await pool.run("link", { place, links: this.#links });
  }

  /** What does not belong there goes, unless nothing was there. */
  async #endFolders(): Promise<void> {
    const { cache, tree, selection, place, pool, style, found, facts } = this.task;
    for await (const { entries, ordinals } of this.#batches("folders")) {
      const isOpen = ({ path }: Entry) => found !== "as-noted" || this.#opened.has(path);
      const open = pick({ entries, ordinals }, indexesWhere(entries, isOpen));
      const folders: EndedFolder[] = [];
      for (const entry of open.entries) {
        const keep = found === "nothing" ? undefined : await namesToKeep(cache, tree, selection, entry.path);
        folders.push({ entry: wantedOf(entry, style), keep });
      }
      if (folders.length === 0) continue;
      const ended = await pool.run("end", { place, folders });
      facts?.write(open.ordinals, ended.facts);
      this.#counts.removedFiles += ended.removed;
    }
  }

  #advance(files: number, bytes: number): void {
    this.#done.files += files;
    this.#done.bytes += bytes;
    const { files: totalFiles, bytes: totalBytes } = this.#counts;
    this.task.onProgress?.({ ...this.#done, totalFiles, totalBytes });
  }
}

function pathsOf({ entries }: Batch): TreePath[] {
  return entries.map(({ path }) => path);
}

function indexesWhere(entries: readonly Entry[], isSought: (entry: Entry) => boolean): number[] {
  return entries.flatMap((entry, index) => (isSought(entry) ? [index] : []));
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + (isContent(entry) ? entry.sizeBytes : 0), 0);
}
