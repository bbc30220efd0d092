/** How sizes, counts, times and names read to people. Plain functions; tables and progress are built on them. */
import { textOf } from "../paths.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `1.5 MiB`; bytes are whole, anything larger has one decimal below 100. */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  // 1023.7 KiB would be shown as "1,024 KiB"; it is 1.0 MiB.
  while (Math.abs(value) >= (unit === 0 ? 1024 : 1023.5) && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || Math.abs(value) >= 99.95 ? 0 : 1;
  return `${grouped(value.toFixed(digits))} ${UNITS[unit] ?? ""}`;
}

/** `1.5 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** `1,234`. */
export function formatCount(count: number): string {
  return grouped(String(count));
}

/** `1 file`, `1,234 files`. */
export function formatCountOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A point in time, in UTC so that it reads the same on every machine: `2026-11-22 10:28:41Z`. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
}

/** How long something took: `12 ms`, `1.5 s`, `2 min 05 s`, `1 h 02 min`, `3 d 04 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < SECOND_MS - 0.5) return `${durationMs.toFixed(0)} ms`;
  if (durationMs < MINUTE_MS - 50) return `${(durationMs / SECOND_MS).toFixed(1)} s`;
  if (durationMs < HOUR_MS - SECOND_MS / 2) return pairOf(durationMs, MINUTE_MS, "min", SECOND_MS, "s");
  if (durationMs < DAY_MS - MINUTE_MS / 2) return pairOf(durationMs, HOUR_MS, "h", MINUTE_MS, "min");
  return pairOf(durationMs, DAY_MS, "d", HOUR_MS, "h");
}

/** How long ago `timeMs` was: `just now`, `5 min ago`, `3 h ago`, `12 days ago`. */
export function formatAge(timeMs: number, nowMs: number): string {
  const ageMs = nowMs - timeMs;
  if (ageMs < MINUTE_MS) return "just now";
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min ago`;
  if (ageMs < 2 * DAY_MS) return `${Math.floor(ageMs / HOUR_MS)} h ago`;
  return `${formatCount(Math.floor(ageMs / DAY_MS))} days ago`;
}

/** A path or name of a dataset for one line of a terminal: control characters, which could drive it, are escaped. */
export function formatPath(bytes: string): string {
  return printable(textOf(bytes));
}

/** Text from outside for one line of a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return JSON.stringify(character)
    .slice(1, -1)
    .replace(/^[^\\]$/, codeOf);
}

/** What JSON leaves as it is: DEL, the C1 controls, the line separators. */
function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function pairOf(durationMs: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const smalls = Math.round(durationMs / smallMs);
  const perLarge = largeMs / smallMs;
  return `${formatCount(Math.floor(smalls / perLarge))} ${large} ${String(smalls % perLarge).padStart(2, "0")} ${small}`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}
