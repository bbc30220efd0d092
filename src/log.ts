/**
 * The log of one process: a file of JSON lines, one an event, that never takes more than twice `maxBytes` of a disk.
 * What to log, and where the file lies, is for the caller.
 */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { type Logger, pino, stdSerializers } from "pino";

import { ensureDir } from "./home.js";
import { type LogLevel, earlierLog, logLevelOf } from "./log-format.js";
import { MiB } from "./units.js";

/** What an event was about; an `error` among the facts is written with its code, data, stack and causes. */
export type Facts = Readonly<Record<string, unknown>>;

/** Takes events: `log.info("chunk evicted", { chunk, bytes })`. */
export interface Log {
  debug(event: string, facts?: Facts): void;
  info(event: string, facts?: Facts): void;
  warn(event: string, facts?: Facts): void;
  error(event: string, facts?: Facts): void;
  /** Lets go of the file; later events are dropped. Twice is the same as once. */
  close(): void;
}

/** A log file is its user's alone: it holds paths and URLs. */
const LOG_FILE_MODE = 0o600;

/** About 50,000 events. */
const LOG_MAX_BYTES = 8 * MiB;

export interface LogOptions {
  /** Events below it are dropped. Default: what `VARVE_LOG_LEVEL` says. */
  level?: LogLevel | undefined;
  /** Where the file has grown so large, what is in it goes to `earlierLog(path)`, and what was there is gone. Default 8 MiB. */
  maxBytes?: number | undefined;
}

/** A log that keeps nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, close() {} };

/**
 * Appends to the log file at `path`, made with its folder when absent. A line is handed to the system before the call
 * returns, so that `kill -9` loses none; one the disk does not take (it is full) is lost and disturbs nobody.
 *
 * @throws {Error} The system's, when the file cannot be opened
 */
export function openLog(path: string, options: LogOptions = {}): Log {
  const { level = logLevelOf(process.env), maxBytes = LOG_MAX_BYTES } = options;
  ensureDir(dirname(path));
  const file = appendTo(path, maxBytes);
  const serializers = { error: stdSerializers.errWithCause };
  return { ...eventsTo(pino({ level, base: { pid: process.pid }, serializers }, file)), close: file.close };
}

/** The event comes first here and second in pino. */
function eventsTo(logger: Logger): Omit<Log, "close"> {
  return {
    debug: (event, facts) => logger.debug(facts ?? {}, event),
    info: (event, facts) => logger.info(facts ?? {}, event),
    warn: (event, facts) => logger.warn(facts ?? {}, event),
    error: (event, facts) => logger.error(facts ?? {}, event),
  };
}

/** Not pino's own destination: that tries without end, and without giving way, to flush to a full disk. */
function appendTo(path: string, maxBytes: number): { write: (line: string) => void; close: () => void } {
  let file: number | undefined = openSync(path, "a", LOG_FILE_MODE);
  let sizeBytes = fstatSync(file).size;
  return {
    write: (line) => {
      if (file === undefined) return;
      try {
        if (sizeBytes >= maxBytes) sizeBytes = startAnew(path, file);
        sizeBytes += writeSync(file, line);
      } catch {
        // Lost, as said above.
      }
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** Not renamed: what the system says of a crash goes to the same file by descriptors of its own, which then append here. */
function startAnew(path: string, file: number): number {
  try {
    copyFileSync(path, earlierLog(path));
  } finally {
    ftruncateSync(file); // On a full disk too: better the last lines than the first.
  }
  return 0;
}
