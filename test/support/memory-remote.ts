/** A remote in memory: small, and real in every line of the contract (`test/remote/suite.ts` holds it to that). */
import { setImmediate } from "node:timers/promises";

import { DatasetError } from "../../src/errors.js";
import { checkSignal } from "../../src/remote/cancel.js";
import { checkKey, checkPrefix } from "../../src/remote/key.js";
import type { Body, ObjectInfo, ObjectKey, Remote } from "../../src/remote/remote.js";
import { MiB } from "../../src/units.js";

export interface MemoryRemote extends Remote {
  /** What is stored: a test may look, damage and take away. */
  readonly objects: Map<ObjectKey, Uint8Array>;
}

/** A remote that holds `initial`, text as UTF-8. */
export function memoryRemote(initial: Record<ObjectKey, string | Uint8Array> = {}): MemoryRemote {
  const objects = new Map<ObjectKey, Uint8Array>();
  const modifiedMs = new Map<ObjectKey, number>();
  for (const [key, content] of Object.entries(initial)) store(key, new Uint8Array(Buffer.from(content)));

  return {
    objects,
    url: "memory://",
    async read(key, start, end, options) {
      const bytes = await found(key, options?.signal);
      if (end > bytes.byteLength) throw short(key, end - start, Math.max(0, bytes.byteLength - start));
      return bytes.slice(start, end);
    },
    async readWhole(key, options) {
      const bytes = await found(key, options?.signal);
      if (bytes.byteLength > (options?.maxBytes ?? 256 * MiB)) throw tooLarge(key);
      return bytes.slice();
    },
    async stat(key, options) {
      await turn(checkKey(key), options?.signal);
      return objects.has(key) ? infoOf(key) : undefined;
    },
    async put(key, body, options) {
      await turn(checkKey(key), options?.signal);
      const bytes = await collect(body, key, options?.signal);
      store(key, bytes);
    },
    async create(key, body, options) {
      await turn(checkKey(key), options?.signal);
      if (objects.has(key))
        throw new DatasetError("object-exists", { key }, `Cannot create "${key}": it exists`);
      store(key, body.slice());
    },
    async *list(prefix, options) {
      await turn(checkPrefix(prefix), options?.signal);
      for (const key of keysFrom(prefix, options?.after)) {
        await turn(key, options?.signal);
        if (objects.has(key)) yield infoOf(key);
      }
    },
    async delete(key, options) {
      await turn(checkKey(key), options?.signal);
      objects.delete(key);
    },
    close: async () => undefined,
  };

  function store(key: ObjectKey, bytes: Uint8Array): void {
    objects.set(key, bytes);
    modifiedMs.set(key, Date.now());
  }

  async function found(key: ObjectKey, signal: AbortSignal | undefined): Promise<Uint8Array> {
    await turn(checkKey(key), signal);
    const bytes = objects.get(key);
    if (!bytes) throw new DatasetError("object-missing", { key }, `Cannot read "${key}": no such object`);
    return bytes;
  }

  function infoOf(key: ObjectKey): ObjectInfo {
    return { key, sizeBytes: objects.get(key)!.byteLength, modifiedMs: modifiedMs.get(key) ?? 0 };
  }

  function keysFrom(prefix: string, after: ObjectKey | undefined): ObjectKey[] {
    const wanted = (key: ObjectKey) => key.startsWith(prefix) && (after === undefined || key > after);
    return [...objects.keys()].filter(wanted).sort();
  }
}

/** Every request takes a turn of the event loop, as one to a real store does. */
async function turn(what: string, signal: AbortSignal | undefined): Promise<void> {
  checkSignal(signal, `request for "${what}"`);
  await setImmediate();
  checkSignal(signal, `request for "${what}"`);
}

async function collect(body: Body, key: ObjectKey, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body.slice();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks()) {
    checkSignal(signal, `put of "${key}"`);
    chunks.push(chunk.slice());
  }
  const bytes = new Uint8Array(Buffer.concat(chunks));
  if (bytes.byteLength === body.sizeBytes) return bytes;
  const problem = `the stream gave ${bytes.byteLength} bytes where ${body.sizeBytes} were announced`;
  throw new DatasetError("bad-input", { value: key }, `Cannot put "${key}": ${problem}`);
}

function short(key: ObjectKey, wantedBytes: number, gotBytes: number): DatasetError<"remote-short"> {
  const message = `Cannot read "${key}": got ${gotBytes} of ${wantedBytes} bytes`;
  return new DatasetError("remote-short", { key, wantedBytes, gotBytes }, message);
}

function tooLarge(key: ObjectKey): DatasetError<"format-damaged"> {
  return new DatasetError("format-damaged", { what: key }, `Cannot read "${key}" whole: it is too large`);
}
