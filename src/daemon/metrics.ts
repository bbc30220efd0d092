/**
 * What a mount counts, as Prometheus reads it. Loaded when metrics are asked for, since the package takes a while to load.
 * Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for what only grows.
 */
import { Counter, Gauge, Registry } from "prom-client";
import { DURATION_BOUNDS_MS } from "../fs/operation-counts.js";
import type { MountFigures } from "./figures.js";

type Labels = Record<string, string>;
/** A number, or one for each set of labels. */
type Values = number | readonly (readonly [Labels, number])[];

/** The text format, one page. */
export async function metricsText(figures: MountFigures): Promise<string> {
  const registry = new Registry();
  const counter = (name: string, help: string, values: Values) => {
    const counted = new Counter({ name, help, labelNames: labelsOf(values), registers: [registry] });
    for (const [labels, value] of each(values)) counted.inc(labels, value);
  };
  const gauge = (name: string, help: string, values: Values) => {
    const shown = new Gauge({ name, help, labelNames: labelsOf(values), registers: [registry] });
    for (const [labels, value] of each(values)) shown.set(labels, value);
  };
  addOperations(registry, counter, figures);
  gauge("varve_requests_waiting", "Requests of the kernel that wait for content or answers", figures.waiting);
  gauge("varve_stuck", "Kinds of things waited for longer than the deadline", stuckNow(figures));
  addCache(counter, gauge, figures.cache);
  addRemote(counter, gauge, figures.remote);
  if (figures.overlay) {
    gauge(
      "varve_overlay_bytes",
      "Room that changes not committed yet take on the disk",
      figures.overlay.bytes,
    );
    gauge("varve_overlay_files", "Files whose content is in the overlay", figures.overlay.files);
  }
  addProcess(counter, gauge, figures);
  return registry.metrics();
}

type Add = (name: string, help: string, values: Values) => void;

function addOperations(registry: Registry, counter: Add, figures: MountFigures): void {
  const operations = Object.entries(figures.operations);
  counter(
    "varve_operations_total",
    "Operations the kernel asked for",
    operations.map(([operation, { count }]) => [{ operation }, count]),
  );
  counter(
    "varve_operation_errors_total",
    "Of these, answered with an error number; some are no failures, such as ENODATA for an attribute that is not there",
    operations.map(([operation, { failed }]) => [{ operation }, failed]),
  );
  addDurations(registry, figures);
  counter("varve_read_bytes_total", "Bytes given to the kernel that asked for them", figures.readBytes);
  counter("varve_written_bytes_total", "Bytes taken from the kernel", figures.writtenBytes);
}

/** The package's own histograms observe one value at a time; these are counted already. */
function addDurations(registry: Registry, figures: MountFigures): void {
  const name = "varve_operation_duration_seconds";
  const help =
    "How long operations took, waits for remotes among it; one in eight of those that did not wait is timed";
  const values = Object.entries(figures.operations).flatMap(([operation, { buckets, sumMs }]) => {
    let sum = 0;
    const cumulative = buckets.map((count) => (sum += count));
    const bounds = [...DURATION_BOUNDS_MS.map((ms) => String(ms / 1000)), "+Inf"];
    return [
      ...cumulative.map((value, at) => ({
        metricName: `${name}_bucket`,
        labels: { operation, le: bounds[at]! },
        value,
      })),
      { metricName: `${name}_sum`, labels: { operation }, value: sumMs / 1000 },
      { metricName: `${name}_count`, labels: { operation }, value: sum },
    ];
  });
  const histogram = { name, get: async () => ({ name, help, type: "histogram", aggregator: "sum", values }) };
  registry.registerMetric(histogram as unknown as Counter);
}

function addCache(counter: Add, gauge: Add, cache: MountFigures["cache"]): void {
  counter("varve_cache_hits_total", "Look-ups of blocks answered on this machine", [
    [{ tier: "memory" }, cache.hits.memory],
    [{ tier: "disk" }, cache.hits.disk],
  ]);
  counter("varve_cache_misses_total", "Blocks that had to be fetched for whoever waited", cache.misses);
  counter("varve_cache_fetched_bytes_total", "Bytes fetched, ahead of readers too", cache.fetchedBytes);
  counter("varve_cache_fetches_total", "Requests that brought them", cache.requests);
  counter("varve_prefetched_blocks_total", "Blocks fetched before anybody asked for them", cache.aheadBlocks);
  counter(
    "varve_prefetched_used_blocks_total",
    "Of these, asked for since; the others were waste, so far",
    cache.usedAheadBlocks,
  );
  counter(
    "varve_cache_faults_total",
    "Damaged files that were dropped, and wrong answers of remotes that were asked for again",
    Object.entries(cache.faults).map(([kind, count]) => [{ kind }, count]),
  );
  gauge("varve_cache_memory_bytes", "Blocks in memory", cache.memoryBytes);
  gauge("varve_cache_disk_bytes", "Blocks on disk, of all who share the cache", cache.disk.bytes);
  gauge("varve_cache_disk_max_bytes", "Most that may be", cache.disk.maxBytes);
  gauge("varve_cache_disk_blocks", "Blocks on disk", cache.disk.blocks);
}

function addRemote(counter: Add, gauge: Add, remote: MountFigures["remote"]): void {
  counter(
    "varve_remote_requests_total",
    "Calls to remotes, by what was asked for and how it ended",
    Object.entries(remote.calls).map(([name, count]) => {
      const [kind = "", outcome = ""] = name.split(" ");
      return [{ kind, outcome }, count];
    }),
  );
  counter("varve_remote_retries_total", "Attempts after the first", remote.retries);
  counter(
    "varve_remote_faults_total",
    "Attempts that failed, by how",
    Object.entries(remote.faults).map(([code, count]) => [{ code }, count]),
  );
  gauge("varve_remote_requests_under_way", "Calls to remotes under way", remote.underWay);
}

function addProcess(counter: Add, gauge: Add, { process, writers, startedAtMs }: MountFigures): void {
  gauge("varve_memory_resident_bytes", "Resident memory of the mount's process", process.residentBytes);
  gauge("varve_memory_heap_bytes", "Of it, the main thread's heap in use", process.heapBytes);
  gauge("varve_open_descriptors", "Open files and sockets of the process", process.descriptors);
  gauge("varve_threads", "Threads of the process", process.threads);
  gauge("varve_open_for_writing", "Files of the mount open for writing", writers);
  gauge("varve_start_time_seconds", "When it was mounted, Unix time", startedAtMs / 1000);
  counter("varve_cpu_seconds_total", "Processor time of the process", process.cpuSeconds);
}

function stuckNow({ stuck }: MountFigures): number {
  return stuck.filter(({ endedAtMs }) => endedAtMs === undefined).length;
}

function each(values: Values): readonly (readonly [Labels, number])[] {
  return typeof values === "number" ? [[{}, values]] : values;
}

function labelsOf(values: Values): string[] {
  return [...new Set(each(values).flatMap(([labels]) => Object.keys(labels)))];
}
