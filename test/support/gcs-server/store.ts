/** Buckets of objects: what they are in memory, their bytes in files of one folder. */
import type { StoredBytes } from "../object-server/stored.js";
import { bytewise, forget } from "../object-server/stored.js";
import { GcsError, notFound } from "./error.js";

/** What a client says of an object it writes. */
export interface Metadata {
  name?: string;
  contentType?: string;
  cacheControl?: string;
  md5Hash?: string;
  crc32c?: string;
  metadata?: Record<string, string>;
}

export interface StoredObject extends StoredBytes {
  key: string;
  /** A new one for each write, and never 0. */
  generation: number;
  /** Base64, as the API has them. */
  md5: string;
  crc32c: string;
  createdMs: number;
  said: Metadata;
}

export class Bucket {
  readonly #objects = new Map<string, StoredObject>();
  #sorted: string[] | undefined;
  #generation = Date.now() * 1000;

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** Every key, in the order of UTF-8 bytes. */
  keys(): readonly string[] {
    return (this.#sorted ??= [...this.#objects.keys()].sort(bytewise));
  }

  add(object: Omit<StoredObject, "generation" | "createdMs" | "readers" | "isGone">): StoredObject {
    const before = this.#objects.get(object.key);
    const made = { generation: ++this.#generation, createdMs: Date.now(), readers: 0, isGone: false };
    const added = { ...object, ...made };
    this.#objects.set(object.key, added);
    if (before) forget(before);
    else this.#sorted = undefined;
    return added;
  }

  remove(key: string): void {
    const object = this.#objects.get(key);
    if (!object) return;
    this.#objects.delete(key);
    this.#sorted = undefined;
    forget(object);
  }
}

export class Store {
  readonly #buckets = new Map<string, Bucket>();

  /** @param folder Of bodies; whoever made it takes it away. */
  constructor(readonly folder: string) {}

  makeBucket(name: string): void {
    this.#buckets.set(name, new Bucket());
  }

  /** @throws {GcsError} notFound */
  bucket(name: string): Bucket {
    const found = this.#buckets.get(name);
    if (found) return found;
    throw notFound("The specified bucket does not exist.");
  }
}

/** Holds preconditions against how things stand. To be called, and the object added, in one turn of the event loop. */
export function checkConditions(query: URLSearchParams, object: StoredObject | undefined): void {
  const generation = String(object?.generation ?? 0);
  const match = query.get("ifGenerationMatch");
  const notMatch = query.get("ifGenerationNotMatch");
  if ((match === null || match === generation) && (notMatch === null || notMatch !== generation)) return;
  const message = "At least one of the pre-conditions you specified did not hold.";
  throw new GcsError(412, "conditionNotMet", message);
}
