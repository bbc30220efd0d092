/** Sends the parts of a stream: a few at once, each tried again by itself, in bounded memory. */
import { createHash } from "node:crypto";

import { DatasetError, isDatasetError } from "../errors.js";
import type { Part } from "./parts.js";
import { DEFAULT_POLICY, patiently } from "./patience.js";
import type { ObjectKey } from "./remote.js";
import type { Slots } from "./slots.js";

/** Parts of all uploads of a remote that are in memory, 16 MiB each unless the object is huge. */
export const PARTS_AT_ONCE = 6;

export interface SentParts<Sent> {
  parts: Sent[];
  /** Hex SHA-256 of all bytes. */
  sha256: string;
}

/**
 * Sends every part of `source`, and reads no further once one has failed. `source` is let go of in the end: whoever
 * gives a stream may hold a file open for it.
 *
 * @param slots One is taken for each part that is in memory.
 */
export async function sendParts<Sent>(
  source: AsyncGenerator<Part, void>,
  slots: Slots,
  send: (part: Part) => Promise<Sent>,
): Promise<SentParts<Sent>> {
  const whole = createHash("sha256");
  const sent: Promise<Sent>[] = [];
  const failure = new AbortController();
  try {
    for (;;) {
      const release = await slots.take();
      const next = await source.next().catch((error: unknown) => (release(), Promise.reject(error as Error)));
      if (next.done || failure.signal.aborted) {
        release();
        break;
      }
      whole.update(next.value.bytes);
      const sending = send(next.value).finally(release);
      sending.catch((error: unknown) => failure.abort(error));
      sent.push(sending);
    }
    return { parts: await Promise.all(sent), sha256: whole.digest("hex") };
  } finally {
    await Promise.allSettled(sent);
    await source.return();
  }
}

/** Tries one part again by itself. */
export function sendPatiently<Sent>(
  { number, bytes }: Part,
  { key, url, signal }: { key: ObjectKey; url: string; signal: AbortSignal | undefined },
  send: (signal: AbortSignal) => Promise<Sent>,
): Promise<Sent> {
  const call = { what: `put of part ${number} of "${key}" in ${url}`, signal, movesBytes: bytes.byteLength };
  return patiently(DEFAULT_POLICY, call, (deadline) => send(deadline.signal));
}

/** @throws {DatasetError} `content-damaged` when a stream has other bytes than were announced */
export function checkSent(key: ObjectKey, got: string, wanted: string | undefined): void {
  if (wanted === undefined || got === wanted) return;
  const message = `Cannot put "${key}": its bytes have the SHA-256 ${got}, and ${wanted} was announced`;
  throw new DatasetError("content-damaged", { what: key, wanted, got }, message);
}

/** Whether a later attempt, of this process or another, can take over what was sent. */
export function mayGoOn(error: unknown): boolean {
  return (["remote-failed", "remote-short", "deadline", "cancelled"] as const).some((code) =>
    isDatasetError(error, code),
  );
}
