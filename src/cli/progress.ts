/** A line on standard error that shows how far long work has come: in a terminal, and only when it does take long. */
import { Presets, SingleBar } from "cli-progress";

import { formatBytes, formatCount, formatDuration, formatRate } from "./format.js";
import type { OutputStream } from "./output.js";
import { fit } from "./text-width.js";

/** Told by the work as it goes on. */
export interface Progress {
  /** `amount` more is done: bytes or things, as `of` says. */
  advance(amount: number): void;
  /** The work turned out to be this large. */
  setTotal(total: number): void;
  /** Takes the line away. Twice is the same as once. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is being done, such as `Uploading`. */
  label: string;
  of: "bytes" | "files";
  /** How much there is to do; without it only what is done and the rate are shown. */
  total?: number | undefined;
  stream?: OutputStream;
  /** Nothing is shown before. Default 500. */
  delayMs?: number;
  /** The clock, in milliseconds. */
  now?: () => number;
}

/** What is known at one moment. */
export interface ProgressState {
  label: string;
  of: "bytes" | "files";
  done: number;
  total: number | undefined;
  elapsedMs: number;
}

/** Quick work needs no bar, and one that flashes up disturbs. */
const DELAY_MS = 500;
const REDRAWS_PER_SECOND = 8;
const BAR_WIDTH = 24;
const DEFAULT_COLUMNS = 80;

const NO_PROGRESS: Progress = { advance() {}, setTotal() {}, stop() {} };

/** Starts to show progress; does nothing at all where standard error is no terminal. */
export function startProgress(options: ProgressOptions): Progress {
  const { label, of, stream = process.stderr, delayMs = DELAY_MS, now = Date.now } = options;
  if (!stream.isTTY) return NO_PROGRESS;
  const startMs = now();
  let { total } = options;
  let done = 0;
  const bar = barOn(stream, () => progressLine({ label, of, done, total, elapsedMs: now() - startMs }));
  const timer = setTimeout(() => bar.start(1, 0), delayMs).unref();
  return {
    advance: (amount) => void (done += amount),
    setTotal: (changed) => void (total = changed),
    stop: () => {
      clearTimeout(timer);
      bar.stop();
    },
  };
}

/** `Uploading ████████░░░░ 50 % · 1.0 of 2.0 GiB · 80 MiB/s · 13 s left`. Pure. */
export function progressLine(state: ProgressState): string {
  const { label, of, done, total } = state;
  const amount = of === "bytes" ? formatBytes : formatCount;
  const things = of === "files" ? " files" : "";
  if (total === undefined) return [`${label} ${amount(done)}${things}`, rateOf(state)].join(" · ");
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const parts = [
    `${Math.floor(share * 100)} %`,
    `${amount(done)} of ${amount(total)}${things}`,
    rateOf(state),
  ];
  const left = timeLeft(state, share);
  return `${label} ${drawn(share)} ${[...parts, ...(left === undefined ? [] : [left])].join(" · ")}`;
}

/** The library redraws the line in place; the words and their length are ours. */
function barOn(stream: OutputStream, lineNow: () => string): SingleBar {
  return new SingleBar(
    {
      stream,
      format: () => fit(lineNow(), (stream.columns ?? DEFAULT_COLUMNS) - 1),
      fps: REDRAWS_PER_SECOND,
      clearOnComplete: true,
      // A command that is killed must leave the terminal as it was: no hidden cursor, no changed wrapping, and
      // signals stay the command's to handle.
      hideCursor: false,
      linewrap: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
}

function rateOf({ of, done, elapsedMs }: ProgressState): string {
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  return of === "bytes" ? formatRate(perSecond) : `${formatCount(Math.round(perSecond))}/s`;
}

/** As if the rest went like what is done. */
function timeLeft({ elapsedMs }: ProgressState, share: number): string | undefined {
  if (share === 0 || share === 1) return undefined;
  const leftSeconds = Math.ceil((elapsedMs * (1 - share)) / share / 1000);
  return `${formatDuration(leftSeconds * 1000).replace(/\.0 s$/, " s")} left`;
}

function drawn(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}
