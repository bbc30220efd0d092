/** The log of one process: a file of JSON lines, one an event. What to log, and where the file lies, is for the caller. */
import { closeSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { type Logger, pino, stdSerializers } from "pino";

import { DatasetError } from "./errors.js";
import { ensureDir } from "./home.js";

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

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

/** A log file is its user's alone: it holds paths and URLs. */
const LOG_FILE_MODE = 0o600;

/** A log that keeps nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, close() {} };

/** The level `VARVE_LOG_LEVEL` asks for. Default `info`. @throws {DatasetError} `bad-input` */
export function logLevelOf(env: Readonly<Record<string, string | undefined>>): LogLevel {
  const asked = env["VARVE_LOG_LEVEL"] || "info";
  const level = LEVELS.find((known) => known === asked);
  if (level) return level;
  const choice = LEVELS.join(", ");
  throw new DatasetError(
    "bad-input",
    { value: asked },
    `Cannot log at level "${asked}": the levels are ${choice}`,
  );
}

/**
 * Appends to the log file at `path`, made with its folder when absent. A line is handed to the system before the call
 * returns, so that `kill -9` loses none; one the disk does not take (it is full) is lost and disturbs nobody.
 *
 * @param level Events below it are dropped. Default: what `VARVE_LOG_LEVEL` says.
 * @throws {Error} The system's, when the file cannot be opened
 */
export function openLog(path: string, level: LogLevel = logLevelOf(process.env)): Log {
  ensureDir(dirname(path));
  const file = appendTo(path);
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
function appendTo(path: string): { write: (line: string) => void; close: () => void } {
  let file: number | undefined = openSync(path, "a", LOG_FILE_MODE);
  return {
    write: (line) => {
      try {
        if (file !== undefined) writeSync(file, line);
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
