/** Buckets of objects: what they are in memory, their bytes in files of one folder. */
import { randomUUID } from "node:crypto";

import type { Algorithm, Digests } from "../object-server/checksums.js";
import { type Segment, type StoredBytes, bytewise, forget } from "../object-server/stored.js";
import { S3Error } from "./error.js";

export interface StoredObject extends StoredBytes {
  key: string;
  versionId: string;
  /** With its quotes. */
  etag: string;
  modifiedMs: number;
  /** `content-type`, `x-amz-meta-…`: given back as they came. */
  headers: Readonly<Record<string, string>>;
  checksums: Digests;
  checksumType: "FULL_OBJECT" | "COMPOSITE";
  isDeleteMarker: boolean;
}

export interface Part extends Segment {
  number: number;
  etag: string;
  modifiedMs: number;
  digests: Digests;
}

export interface Upload {
  id: string;
  key: string;
  headers: Readonly<Record<string, string>>;
  algorithm: Algorithm | undefined;
  startedMs: number;
  parts: Map<number, Part>;
}

export class Bucket {
  readonly uploads = new Map<string, Upload>();
  /** How often each key was deleted: who writes conditionally must see that it was, while it wrote. */
  readonly deletions = new Map<string, number>();
  readonly #versions = new Map<string, StoredObject[]>();
  #sorted: string[] | undefined;

  constructor(readonly isVersioned: boolean) {}

  /** The newest version of a key, unless it is a delete marker. */
  current(key: string): StoredObject | undefined {
    const newest = this.#versions.get(key)?.at(-1);
    return newest?.isDeleteMarker ? undefined : newest;
  }

  version(key: string, versionId: string): StoredObject | undefined {
    return this.#versions.get(key)?.find((version) => version.versionId === versionId);
  }

  /** Every key with a current version, in the order of UTF-8 bytes. */
  keys(): readonly string[] {
    return (this.#sorted ??= [...this.#versions.keys()].filter((key) => this.current(key)).sort(bytewise));
  }

  add(object: Omit<StoredObject, "versionId" | "readers" | "isGone">): StoredObject {
    const versionId = this.isVersioned ? randomUUID() : "null";
    const added: StoredObject = { ...object, versionId, readers: 0, isGone: false };
    const before = this.#versions.get(object.key) ?? [];
    if (this.current(object.key) === undefined || object.isDeleteMarker) this.#sorted = undefined;
    this.#versions.set(object.key, this.isVersioned ? [...before, added] : [added]);
    if (!this.isVersioned) before.forEach(forget);
    return added;
  }

  /** Takes a key away, or one version of it for good. */
  remove(key: string, versionId?: string): void {
    this.deletions.set(key, (this.deletions.get(key) ?? 0) + 1);
    this.#sorted = undefined;
    const versions = this.#versions.get(key) ?? [];
    const gone = versions.filter((version) => !versionId || version.versionId === versionId);
    const left = versions.filter((version) => !gone.includes(version));
    gone.forEach(forget);
    if (left.length > 0) this.#versions.set(key, left);
    else this.#versions.delete(key);
  }
}

export class Store {
  readonly #buckets = new Map<string, Bucket>();

  /** @param folder Of bodies; whoever made it takes it away. */
  constructor(
    readonly folder: string,
    readonly isVersioned: boolean,
  ) {}

  makeBucket(name: string): void {
    if (!this.#buckets.has(name)) this.#buckets.set(name, new Bucket(this.isVersioned));
  }

  get bucketNames(): string[] {
    return [...this.#buckets.keys()].sort();
  }

  /** @throws {S3Error} NoSuchBucket */
  bucket(name: string): Bucket {
    const found = this.#buckets.get(name);
    if (found) return found;
    throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: name });
  }
}
