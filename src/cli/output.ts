/** The two channels of a command: data on standard output, words for people on standard error. */
import type { Writable } from "node:stream";

import { errnoOf } from "../errors.js";
import { type Style, styleOf } from "./style.js";

/** A stream that may be a terminal. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number };

export interface Output {
  /** A line (or several) of the result. */
  data(text: string): void;
  /**
   * The result for programs, on one line; indented in a terminal. Paths must have gone through `jsonOf` (`paths.ts`),
   * which keeps names that are not UTF-8.
   */
  json(value: unknown): void;
  /** A line for the person who waits; silent with `quiet`. */
  say(text: string): void;
  /** A line that matters even when quiet: a warning or the failure. */
  warn(text: string): void;
  /** Columns of the terminal data goes to; undefined when it goes to a file or a program. */
  readonly widthColumns: number | undefined;
  /** For data, and for words. */
  readonly style: { data: Style; words: Style };
}

export interface OutputOptions {
  stdout: OutputStream;
  stderr: OutputStream;
  env: Readonly<Record<string, string | undefined>>;
  /** Says no words but warnings. Default false. */
  quiet?: boolean;
  /** Called once when the reader of the data has gone (`varve list | head`). Default: ends the process, quietly. */
  onReaderGone?: () => void;
}

/** The channels of this process. */
export function processOutput(quiet = false): Output {
  return outputTo({ stdout: process.stdout, stderr: process.stderr, env: process.env, quiet });
}

/** Channels over any two streams. Their failures are handled from here on. */
export function outputTo(options: OutputOptions): Output {
  const { stdout, stderr, env, quiet = false, onReaderGone = () => process.exit() } = options;
  stdout.on("error", (error) => {
    if (errnoOf(error) !== "EPIPE") throw error;
    onReaderGone();
  });
  stderr.on("error", () => {}); // Nobody listens, and there is nowhere to say so.
  const words = (text: string) => void stderr.write(`${text}\n`);
  return {
    data: (text) => void stdout.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, stdout.isTTY ? 2 : undefined)}\n`),
    say: quiet ? () => {} : words,
    warn: words,
    get widthColumns() {
      return stdout.isTTY ? stdout.columns : undefined;
    },
    style: { data: styleOf(stdout, env), words: styleOf(stderr, env) },
  };
}
