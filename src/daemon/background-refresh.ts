/**
 * Looks for versions that other catalogs have made of the datasets somebody looks at, now and then and without letting
 * anybody wait: what is found shows the next time.
 */
import type { Dataset } from "../catalog/catalog.js";
import { refresh } from "../dataset/history.js";
import type { Workspace } from "../dataset/workspace.js";
import { messageOf } from "../errors.js";

/** A dataset's remote is listed at most so often. */
const PAUSE_MS = 10_000;
/** Datasets remembered as looked after; with more, the oldest are looked after again sooner. */
const MOST_DATASETS = 10_000;

export class BackgroundRefresh {
  /** When a dataset may be looked after again; `Infinity` while it is. */
  readonly #nextMs = new Map<string, number>();

  constructor(private readonly workspace: Workspace) {}

  /** Begins to look after a dataset, unless that was done a moment ago. Fails never. */
  now(dataset: Dataset): void {
    if ((this.#nextMs.get(dataset.id) ?? 0) > performance.now()) return;
    for (const [oldest] of this.#nextMs) if (this.#nextMs.size >= MOST_DATASETS) this.#nextMs.delete(oldest);
    this.#nextMs.set(dataset.id, Infinity);
    refresh(this.workspace, dataset)
      .catch((error: unknown) => {
        this.workspace.notice(`Cannot look for new versions of "${dataset.name}": ${messageOf(error)}`);
      })
      .finally(() => this.#nextMs.set(dataset.id, performance.now() + PAUSE_MS));
  }
}
