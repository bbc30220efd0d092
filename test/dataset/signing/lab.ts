/** A signed dataset in a folder, somebody who reads it, and somebody who can write to the folder but has no key. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { type Chunk, type RemoteId, packKey } from "../../../src/content/chunk.js";
import { sha256 } from "../../../src/content/hash.js";
import { Dataset } from "../../../src/dataset/dataset.js";
import type { VersionRecord } from "../../../src/dataset/record.js";
import { createKey } from "../../../src/dataset/signing/key-files.js";
import { type PublicKey, textOfKey } from "../../../src/dataset/signing/keys.js";
import { syncVersion } from "../../../src/dataset/sync.js";
import { Workspace } from "../../../src/dataset/workspace.js";
import { type FailureCode, isDatasetError } from "../../../src/errors.js";
import { type Entry, EntryType } from "../../../src/manifest/entry.js";
import { type Range, encodeRange, openRange } from "../../../src/manifest/range.js";
import { rangeKey } from "../../../src/manifest/range-ref.js";
import { type RangeRef, type Root, encodeRoot, openRoot } from "../../../src/manifest/root.js";
import { type Scope, atEnd } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";
import { noise } from "../../content/noise.js";
import { type Described, describeVersion, writeFolder } from "../support/folders.js";
import { testUser } from "../support/workspaces.js";

export interface SignedLab {
  /** The folder that the remote is. */
  remote: string;
  key: PublicKey;
  /** Makes the next version of a dataset of a folder that holds these files, signed unless told otherwise. */
  sync(files: Record<string, string | Uint8Array>, options?: SyncLabOptions): Promise<string>;
  /** Reads all of a version, `lab/data@1.0.0` unless told otherwise, as somebody new who wants it signed by `key`. */
  read(reference?: string, verifyKeys?: readonly string[]): Promise<Described>;
  /** As somebody new who asks for no signature. */
  readUnasked(reference?: string): Promise<Described>;
  /** A workspace of somebody new, whose default remote this is. */
  stranger(verifyKeys?: readonly string[]): Promise<Workspace>;
}

export interface SyncLabOptions {
  dataset?: string;
  version?: string;
  signed?: boolean;
}

export const LARGE = noise("large", 5 * 1024 * 1024);

export async function signedLab(scope: Scope): Promise<SignedLab> {
  const remote = join(await tempDir(scope), "bucket");
  const owner = await testUser(scope, remote);
  const key = createKey(owner.home, "release");
  const open = (signed: boolean) => {
    const home = signed ? { ...owner.home, signingKey: "release" } : owner.home;
    const workspace = new Workspace({ home, notice: () => undefined });
    atEnd(scope, () => workspace.close());
    return workspace;
  };
  const stranger = async (verifyKeys: readonly string[] = [textOfKey(key)]) => {
    const { home } = await testUser(scope, remote);
    const workspace = new Workspace({ home: { ...home, verifyKeys }, notice: () => undefined });
    atEnd(scope, () => workspace.close());
    return workspace;
  };
  const read: SignedLab["read"] = async (reference = "lab/data@1.0.0", verifyKeys) => {
    const workspace = await stranger(verifyKeys);
    return describeVersion(await Dataset.get(`${remote}#${reference}`, { workspace }));
  };
  let folders = 0;
  const sync: SignedLab["sync"] = async (files, { dataset = "lab/data", version, signed = true } = {}) => {
    const folder = join(owner.scratch, String(folders++));
    writeFolder(folder, files);
    const { committed } = await syncVersion(folder, dataset, { workspace: open(signed), version });
    return committed!.id;
  };
  return { remote, key, sync, read, readUnasked: (reference) => read(reference, []), stranger };
}

/** The records of a remote, by the path of their objects. */
export function recordsIn(remote: string): Map<string, VersionRecord> {
  const keys = readdirSync(join(remote, "datasets"), { recursive: true, encoding: "utf8" });
  const records = keys
    .filter((key) => /\/versions\/[^/]+$/.test(key))
    .map((key) => join(remote, "datasets", key));
  return new Map(records.map((path) => [path, JSON.parse(readFileSync(path, "utf8")) as VersionRecord]));
}

/** Puts another record in the place of that with a label. */
export function changeRecord(
  { remote }: SignedLab,
  change: (record: VersionRecord) => VersionRecord,
  label = "1.0.0",
): void {
  const [path, record] = [...recordsIn(remote)].find(([, found]) => found.label === label)!;
  writeFileSync(path, JSON.stringify(change(record)));
}

/** What the root of a version names, and how to put others in its place, with a record that names the new root. */
export class Forgery {
  readonly root: Root;
  readonly refs: RangeRef[];
  readonly id: RemoteId;

  constructor(
    private readonly lab: SignedLab,
    private readonly label = "1.0.0",
  ) {
    const record = [...recordsIn(lab.remote).values()].find((found) => found.label === label)!;
    this.root = openRoot(readFileSync(join(lab.remote, record.root.key)));
    this.refs = Array.from({ length: this.root.rangeCount }, (_, number) => this.root.rangeAt(number));
    this.id = this.root.remote;
  }

  range(number: number): Range {
    return openRange(readFileSync(join(this.lab.remote, rangeKey(this.refs[number]!.object))), this.id);
  }

  /** Stores an object. */
  put(key: string, bytes: Uint8Array): void {
    const path = join(this.lab.remote, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }

  /** Stores chunks as a pack. */
  pack(contents: readonly Uint8Array[]): Chunk[] {
    const bytes = Buffer.concat(contents);
    const pack = sha256(bytes);
    this.put(packKey(pack), bytes);
    let offset = 0;
    return contents.map((content) => {
      const sizeBytes = content.length;
      const chunk = {
        hash: sha256(content),
        sizeBytes,
        remote: this.id,
        pack,
        offset,
        storedBytes: sizeBytes,
        codec: 0,
      };
      offset += sizeBytes;
      return chunk as Chunk;
    });
  }

  /** Changes entries of range 0 and stores it; the tree digest stays only where the change is one of places. */
  change(change: (entry: Entry) => Entry | undefined): RangeRef {
    const range = this.range(0);
    const entries = Array.from({ length: range.count }, (_, index) => change(range.entryAt(index)));
    const made = encodeRange(
      entries.filter((entry) => entry !== undefined),
      this.id,
    );
    this.put(rangeKey(made.object), made.bytes);
    return made.ref;
  }

  /** Makes the record name a root of these ranges, and say its digests. */
  install(refs: readonly RangeRef[]): void {
    const { segments } = this.root;
    const bytes = Buffer.from(encodeRoot({ ranges: refs, segments, remote: this.id }));
    const { treeDigest, contentDigest } = openRoot(bytes);
    const key = `roots/forged/${sha256(bytes)}`;
    this.put(key, bytes);
    changeRecord(
      this.lab,
      (record) => ({
        ...record,
        root: { key, hash: sha256(bytes), bytes: bytes.length },
        digest: treeDigest,
        contentDigest,
      }),
      this.label,
    );
  }
}

/** A file of several chunks with others in their places. */
export function withChunks(entry: Entry, chunks: readonly Chunk[]): Entry {
  return entry.type === EntryType.file && entry.chunks.length > 1 ? { ...entry, chunks: [...chunks] } : entry;
}

/** The chunks of the file that has several. */
export function listedChunks(range: Range): Chunk[] {
  const lists = Array.from({ length: range.count }, (_, index) => range.chunksAt(index));
  return lists.find((chunks) => chunks.length > 1)!;
}

/** Waits for a failure of this kind whose message fits. */
export async function refused(work: Promise<unknown>, code: FailureCode, message = /./): Promise<void> {
  await assert.rejects(work, (error) => {
    if (isDatasetError(error, code) && message.test(error.message)) return true;
    throw new Error(`Expected a failure "${code}" that says ${String(message)}`, { cause: error });
  });
}
