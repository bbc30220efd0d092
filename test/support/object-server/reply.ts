/** What an operation answers, before anything is written to the connection. */
import type { StoredBytes } from "./stored.js";

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: Buffer | ObjectRange | undefined;
}

/** Bytes `[start, end)` of an object, read while they are sent. */
export interface ObjectRange {
  object: StoredBytes;
  start: number;
  end: number;
}

export function empty(status: number, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: undefined };
}

export function sizeOf(body: Reply["body"]): number {
  if (body === undefined) return 0;
  return Buffer.isBuffer(body) ? body.length : body.end - body.start;
}
