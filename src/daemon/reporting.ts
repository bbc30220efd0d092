/** What a mount tells of itself beside its status: faults in its log, what is stuck, figures, metrics. */
import type { Cache } from "../cache/cache.js";
import type { CacheFault, OnCacheFault } from "../cache/disk.js";
import type { RemoteId } from "../content/chunk.js";
import type { WaitingRequest } from "../fs/messages.js";
import { DEFAULT_DEADLINE_MS, type ServedMount } from "../fs/serve.js";
import type { Log } from "../log.js";
import { remoteActivity, withoutQueries } from "../remote/activity.js";
import type { MountOptions } from "./config.js";
import type { MountFigures } from "./figures.js";
import type { MetricsServer } from "./metrics-server.js";
import { Watchdog } from "./watchdog.js";

const WORDS_ON_FAULTS: Record<CacheFault, string> = {
  damaged: "damaged cache file dropped",
  wrong: "wrong bytes fetched again",
};

/** What is counted, once it is mounted. */
export interface Reported {
  served: ServedMount;
  cache: Cache;
  overlayDirectory: string | undefined;
}

export class Reporting {
  readonly watchdog: Watchdog;
  readonly #cacheFaults: Record<CacheFault, number> = { damaged: 0, wrong: 0 };
  readonly #startedAtMs = Date.now();
  #metrics: MetricsServer | undefined;
  #reported: (() => Promise<Reported>) | undefined;

  constructor(
    private readonly log: Log,
    { deadlineMs = DEFAULT_DEADLINE_MS }: MountOptions,
  ) {
    this.watchdog = new Watchdog({ deadlineMs, remote: remoteActivity, log });
    remoteActivity.onFault = (fault) => log.warn("remote failed", { ...fault });
  }

  /** To be told of what the cache mends. */
  readonly onCacheFault: OnCacheFault = (fault, facts) => {
    this.#cacheFaults[fault]++;
    this.log.warn(WORDS_ON_FAULTS[fault], facts);
  };

  /** Where metrics are served, where they are. */
  get metricsUrl(): string | undefined {
    return this.#metrics?.url;
  }

  /** Takes the place where metrics are to be served. @throws {DatasetError} `bad-input`, `conflict` */
  async serveMetrics(place: string | undefined): Promise<void> {
    if (place === undefined) return;
    const { placeOf, serveMetrics } = await import("./metrics-server.js");
    this.#metrics = await serveMetrics(placeOf(place), () => this.metricsText());
  }

  /** It is mounted: from now on there are figures. */
  begin(reported: () => Promise<Reported>): void {
    this.#reported = reported;
  }

  /** @param urlOf Tells where a remote lies. */
  async gaveUp(
    { operation, waitedForMs, waitsFor }: WaitingRequest,
    urlOf: (remote: RemoteId) => Promise<string | undefined>,
  ): Promise<void> {
    this.watchdog.gaveUp(operation, await wordsOn(waitsFor, urlOf), waitedForMs);
  }

  async figures(): Promise<MountFigures> {
    if (!this.#reported) throw new Error("Cannot count: it is not mounted yet");
    const { figuresOf } = await import("./figures.js");
    const { watchdog } = this;
    const counted = { cacheFaults: this.#cacheFaults, startedAtMs: this.#startedAtMs, watchdog };
    return figuresOf({ ...(await this.#reported()), ...counted });
  }

  async metricsText(): Promise<string> {
    const { metricsText } = await import("./metrics.js");
    return metricsText(await this.figures());
  }

  close(): void {
    this.#metrics?.close();
    this.watchdog.close();
  }
}

async function wordsOn(
  waitsFor: WaitingRequest["waitsFor"],
  urlOf: (remote: RemoteId) => Promise<string | undefined>,
): Promise<string> {
  if (!waitsFor) return "its turn";
  if ("question" in waitsFor) return `the catalog, asked for ${waitsFor.question}`;
  if ("link" in waitsFor) return withoutQueries(`read of "${waitsFor.link}"`);
  const url = await urlOf(waitsFor.remote).catch(() => undefined);
  return withoutQueries(`read of "${waitsFor.key}" in ${url ?? `remote ${waitsFor.remote}`}`);
}
