/** A real folder and an overlay over a version of the same content, on which each step is tried alike. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { FileSystemError } from "../../../src/fs/errno.js";
import { type Overlay, openOverlay } from "../../../src/fs/overlay/overlay.js";
import { openSnapshot } from "../../../src/fs/overlay/snapshot.js";
import { type Entry, EntryType } from "../../../src/manifest/entry.js";
import { applyChanges } from "./apply-changes.js";
import { Client, type Handle } from "./client.js";
import { folderSide, readAt, writeAt } from "./folder-side.js";
import { MemoryBase, type Planned, pattern } from "./memory-base.js";
import * as native from "./native.js";
import type { Handlers, OpenOperation, Operation, PathOperation } from "./operations.js";
import { overlaySide } from "./overlay-side.js";
import { treeOfClient, treeOfFolder } from "./tree-state.js";
import { type Nodes, type Where, choose } from "./where.js";

const PLAN: Readonly<Record<string, Planned>> = {
  a: { directory: true },
  "a/a": { content: pattern(10_000, 1) },
  "a/b": { directory: true },
  "a/b/a": { content: pattern(700, 2), hardLinks: ["a/b/c"] },
  "a/b/c": { content: pattern(700, 2), hardLinks: ["a/b/a"] },
  "a/b/d": { directory: true },
  "a/c": { content: pattern(3_000, 3), hardLinks: ["c"] },
  b: { directory: true },
  "b/a": { content: new Uint8Array() },
  "b/b": { target: "nowhere" },
  c: { content: pattern(3_000, 3), hardLinks: ["a/c"] },
  d: { directory: true },
  "d/a": { directory: true },
  "d/a/b": { content: pattern(9_000, 4), xattrs: { "user.one": "1" } },
};

/** How often each kind of step succeeded, by all pairs: a comparison of nothing but errors would prove little. */
export const successes = new Map<Operation["do"], number>();

/** What a step gave: a value, or the name of an error. */
type Outcome = { value: unknown } | { error: string };

interface OpenPair {
  fd: number;
  handle: Handle;
}

export class Pair {
  readonly #root = fs.mkdtempSync(join(tmpdir(), "varve-overlay-"));
  readonly #folder = join(this.#root, "folder");
  readonly #base = new MemoryBase(PLAN);
  readonly #overlays: Overlay[] = [];
  readonly #inFolder: Handlers;
  #client: Client;
  #open: OpenPair[] = [];
  #steps = 0;

  constructor() {
    layOut(this.#folder, this.#base);
    this.#inFolder = folderSide(this.#folder);
    this.#client = this.#openClient(join(this.#root, "overlay-0"));
    this.#base.forget();
  }

  step(operation: Operation): void {
    this.#steps++;
    if (operation.do === "forget") this.#base.forget();
    else if (operation.do === "crash") this.#crash();
    else if ("which" in operation) this.#useOpen(operation);
    else this.#tryBoth(this.#resolved(operation));
  }

  compareTrees(): void {
    assert.deepEqual(treeOfClient(this.#client), treeOfFolder(this.#folder));
  }

  /** What a commit would make of the changes is the tree as the overlay shows it. */
  async compareSnapshot(): Promise<void> {
    const { directory } = this.#client.overlay;
    const snapshot = await openSnapshot(directory, this.#base.forSnapshot);
    try {
      assert.deepEqual(await applyChanges(this.#base, snapshot), treeOfClient(this.#client));
    } finally {
      snapshot.close();
    }
  }

  remove(): void {
    for (const { fd } of this.#open) fs.closeSync(fd);
    for (const overlay of this.#overlays) overlay.close();
    fs.rmSync(this.#root, { recursive: true });
  }

  #tryBoth(operation: PathOperation): void {
    const real = outcomeOf(this.#inFolder, operation, this.#steps);
    const ours = outcomeOf(overlaySide(this.#client), operation, this.#steps);
    if (operation.do === "open") this.#keepOpen(real, ours);
    assert.deepEqual(ours, real, `step ${this.#steps}: ${JSON.stringify(operation)}`);
    if ("value" in ours) successes.set(operation.do, 1 + (successes.get(operation.do) ?? 0));
  }

  /** The numbers are each side's own. */
  #keepOpen(real: Outcome, ours: Outcome): void {
    if ("value" in real && "value" in ours)
      this.#open.push({ fd: real.value as number, handle: ours.value as Handle });
    for (const outcome of [real, ours]) if ("value" in outcome) outcome.value = "open";
  }

  #useOpen(operation: OpenOperation): void {
    const pair = this.#open[operation.which % this.#open.length];
    if (!pair) return;
    const { fd, handle } = pair;
    if (operation.do === "close") {
      fs.closeSync(fd);
      this.#client.close(handle);
      this.#open = this.#open.filter((other) => other !== pair);
    } else if (operation.do === "writeOpen") {
      const bytes = pattern(operation.bytes, this.#steps);
      writeAt(fd, operation.offset, bytes);
      this.#client.write(handle, operation.offset, bytes);
    } else {
      const { offset, length } = operation;
      assert.deepEqual(this.#client.read(handle, offset, length), readAt(fd, offset, length));
    }
  }

  /** What a killed process leaves is what its files hold at that moment: a copy of them is opened. */
  #crash(): void {
    for (const { fd } of this.#open) fs.closeSync(fd);
    this.#open = [];
    const { directory } = this.#client.overlay;
    const copy = join(this.#root, `overlay-${this.#overlays.length}`);
    const filter = (path: string): boolean => !path.endsWith("/spare");
    fs.cpSync(directory, copy, { recursive: true, filter, preserveTimestamps: true });
    this.#client = this.#openClient(copy);
    this.compareTrees();
  }

  #openClient(directory: string): Client {
    const overlay = this.#base.complete(() => openOverlay(directory, this.#base, { reserveBytes: 0 }));
    this.#overlays.push(overlay);
    return new Client(overlay, this.#base);
  }

  /** Chooses the paths among what the folder holds now. */
  #resolved(planned: PathOperation<Where>): PathOperation {
    const nodes = this.#nodes();
    const path = { path: choose(planned.path, nodes) };
    const to = "to" in planned ? { to: choose(planned.to, nodes) } : {};
    return { ...planned, ...path, ...to } as PathOperation;
  }

  #nodes(): Nodes {
    const found = fs.readdirSync(this.#folder, { recursive: true, withFileTypes: true });
    const pathOf = (node: fs.Dirent): string => relative(this.#folder, join(node.parentPath, node.name));
    const paths = (some: readonly fs.Dirent[]): string[] => some.map(pathOf).sort();
    const [files, directories] = [
      found.filter((node) => node.isFile()),
      found.filter((node) => node.isDirectory()),
    ];
    return { all: paths(found), files: paths(files), directories: paths(directories) };
  }
}

function outcomeOf(handlers: Handlers, operation: PathOperation, seed: number): Outcome {
  const handler = handlers[operation.do] as (step: PathOperation, seed: number) => unknown;
  try {
    return { value: handler(operation, seed) };
  } catch (error) {
    if (error instanceof FileSystemError) return { error: error.errno };
    if (error instanceof Error && "code" in error && /^E[A-Z0-9]+$/.test(String(error.code)))
      return { error: String(error.code) };
    throw error;
  }
}

function layOut(folder: string, base: MemoryBase): void {
  for (const entry of base.entries) {
    const path = join(folder, entry.path);
    layEntry(folder, path, entry, base);
    if (entry.type !== EntryType.symlink) fs.chmodSync(path, entry.mode);
    for (const [name, value] of entry.xattrs ?? []) native.setXattr(path, name, value, 0);
  }
}

function layEntry(folder: string, path: string, entry: Entry, base: MemoryBase): void {
  if (entry.type === EntryType.directory) fs.mkdirSync(path);
  if (entry.type === EntryType.symlink) fs.symlinkSync(entry.target, path);
  if (entry.type !== EntryType.file) return;
  const other = entry.hardLinks?.map((link) => join(folder, link)).find((link) => fs.existsSync(link));
  if (other === undefined) fs.writeFileSync(path, base.contentOf(entry.path));
  else fs.linkSync(other, path);
}
