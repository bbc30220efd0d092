/** The end of a log that may be written to, and begin anew, while it is read. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../errors.js";
import { earlierLog } from "../log-format.js";

const LOOK_EVERY_MS = 200;

/** The last lines of a log, of what was in it before it began anew as well. */
export function lastLines(path: string, count: number): string[] {
  if (count === 0) return [];
  const now = linesIn(path);
  const before = now.length < count ? linesIn(earlierLog(path)) : [];
  return [...before, ...now].slice(-count);
}

function linesIn(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** What comes to a log from now on. */
export class LogTail {
  #offset: number;
  /** The beginning of a line whose end has not come yet. */
  #rest = "";

  constructor(private readonly path: string) {
    this.#offset = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** A moment, or less when the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }

  /** Lines that have come since the last call. */
  next(): string[] {
    const lines = (this.#rest + this.#read()).split("\n");
    this.#rest = lines.pop()!;
    return lines.filter(Boolean);
  }

  #read(): string {
    const file = openSync(this.path, "r");
    try {
      const { size } = fstatSync(file);
      if (size < this.#offset) this.#offset = 0; // It has begun anew.
      const bytes = Buffer.alloc(size - this.#offset);
      const count = readSync(file, bytes, 0, bytes.length, this.#offset);
      this.#offset += count;
      return bytes.toString("utf8", 0, count);
    } finally {
      closeSync(file);
    }
  }
}
