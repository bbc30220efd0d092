/** Streams that stand in for a terminal or a pipe. */
import { Writable } from "node:stream";

import type { OutputStream } from "../../src/cli/output.js";

/** A stream that keeps what is written to it. */
export type CapturedStream = OutputStream & { readonly text: string };

/** Captures text; as a terminal of `columns` when they are given. */
export function captured(columns?: number): CapturedStream {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return Object.defineProperty(Object.assign(stream, terminal), "text", {
    get: () => text,
  }) as CapturedStream;
}

/** A pipe whose reader has gone: every write fails with `code`. */
export function broken(code: string): OutputStream {
  const failure = Object.assign(new Error(`write ${code}`), { code });
  return new Writable({ write: (_chunk, _encoding, done) => done(failure) });
}
