/** A real folder and an overlay over a version of the same content, on which each step is tried alike. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { FileSystemError } from "../../../src/fs/errno.js";
import { FileType, TYPE_MASK } from "../../../src/fs/filesystem.js";
import { type Overlay, openOverlay } from "../../../src/fs/overlay/overlay.js";
import { openSnapshot } from "../../../src/fs/overlay/snapshot.js";
import { EntryType } from "../../../src/manifest/entry.js";
import { applyChanges } from "./apply-changes.js";
import { Client, type Handle } from "./client.js";
import { MemoryBase, pattern } from "./memory-base.js";
import * as native from "./native.js";
import type { Operation as PlannedOperation, Where } from "./operations.js";
import { treeOfClient, treeOfFolder } from "./tree-state.js";

const PLAN = {
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
} as const;

/** How often each kind of step succeeded, by all pairs: a comparison of nothing but errors would prove little. */
export const successes = new Map<Operation["do"], number>();

/** A step whose paths are chosen. */
type Operation = PlannedOperation<string>;

/** What a step gave: a value, or the name of an error. */
type Outcome = { value: unknown } | { error: string };

interface OpenPair {
  fd: number;
  handle: Handle;
}

export class Pair {
  readonly #root = fs.mkdtempSync(join(tmpdir(), "varve-overlay-"));
  readonly #folder = join(this.#root, "folder");
  readonly #base = new MemoryBase(PLAN as unknown as ConstructorParameters<typeof MemoryBase>[0]);
  readonly #overlays: Overlay[] = [];
  #client: Client;
  #open: OpenPair[] = [];
  #steps = 0;

  constructor() {
    layOut(this.#folder, this.#base);
    this.#client = this.#openClient(join(this.#root, "overlay-0"));
    this.#base.forget();
  }

  step(planned: PlannedOperation): void {
    this.#steps++;
    const operation = this.#resolved(planned);
    if (operation.do === "forget") this.#base.forget();
    else if (operation.do === "crash") this.#crash();
    else if (operation.do === "open") this.#openBoth(operation.path);
    else if ("which" in operation) this.#useOpen(operation);
    else
      this.#compare(
        operation,
        () => this.#inFolder(operation),
        () => this.#inOverlay(operation),
      );
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

  /** Chooses the paths among what the folder holds now. */
  #resolved(planned: PlannedOperation): Operation {
    const nodes = fs.readdirSync(this.#folder, { recursive: true, withFileTypes: true });
    const pathOf = (node: fs.Dirent): string => relative(this.#folder, join(node.parentPath, node.name));
    const all = nodes.map(pathOf).sort();
    const of = (is: (node: fs.Dirent) => boolean): string[] => nodes.filter(is).map(pathOf).sort();
    const chosen = (where: Where): string => {
      if (typeof where === "string") return where;
      if ("file" in where)
        return nth(
          of((node) => node.isFile()),
          where.file,
        );
      const directories = of((node) => node.isDirectory());
      if ("directory" in where) return nth(directories, where.directory);
      return "any" in where ? nth(all, where.any) : join(nth(["", ...directories], where.in), where.name);
    };
    const path = "path" in planned ? { path: chosen(planned.path) } : {};
    const to = "to" in planned ? { to: chosen(planned.to) } : {};
    return { ...planned, ...path, ...to } as Operation;
  }

  #openClient(directory: string): Client {
    const overlay = this.#base.complete(() => openOverlay(directory, this.#base, { reserveBytes: 0 }));
    this.#overlays.push(overlay);
    return new Client(overlay, this.#base);
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

  #compare(operation: Operation, inFolder: () => unknown, inOverlay: () => unknown): void {
    const real = outcomeOf(inFolder);
    const ours = outcomeOf(inOverlay);
    assert.deepEqual(ours, real, `step ${this.#steps}: ${JSON.stringify(operation)}`);
    if ("value" in ours) successes.set(operation.do, 1 + (successes.get(operation.do) ?? 0));
  }

  #openBoth(path: string): void {
    const opened: Partial<OpenPair> = {};
    const inFolder = () => void (opened.fd = fs.openSync(join(this.#folder, path), "r+"));
    const inOverlay = () => void (opened.handle = this.#client.open(path, fs.constants.O_RDWR));
    this.#compare({ do: "open", path }, inFolder, inOverlay);
    if (opened.fd !== undefined) this.#open.push(opened as OpenPair);
  }

  #useOpen(operation: Extract<Operation, { which: number }>): void {
    const pair = this.#open[operation.which % this.#open.length];
    if (!pair) return;
    const { fd, handle } = pair;
    if (operation.do === "close") {
      fs.closeSync(fd);
      this.#client.close(handle);
      this.#open = this.#open.filter((other) => other !== pair);
    } else if (operation.do === "writeOpen") {
      const bytes = pattern(operation.bytes, this.#steps);
      fs.writeSync(fd, bytes, 0, bytes.length, operation.offset);
      this.#client.write(handle, operation.offset, bytes);
    } else {
      const { offset, length } = operation;
      assert.deepEqual(this.#client.read(handle, offset, length), readAt(fd, offset, length));
    }
  }

  #inFolder(operation: Operation): unknown {
    const at = join(this.#folder, "path" in operation ? operation.path : "");
    switch (operation.do) {
      case "create":
        return withFd(fs.openSync(at, "wx+", operation.mode), (fd) => {
          fs.writeSync(fd, pattern(operation.bytes, this.#steps));
        });
      case "write":
        return withFd(fs.openSync(at, "r+"), (fd) => {
          fs.writeSync(fd, pattern(operation.bytes, this.#steps), 0, operation.bytes, operation.offset);
        });
      case "truncate":
        return fs.truncateSync(at, operation.size);
      case "fallocate":
        return withFd(fs.openSync(at, "r+"), (fd) => {
          native.fallocate(fd, operation.mode, operation.offset, operation.length);
        });
      case "read":
        return withFd(fs.openSync(at, "r+"), (fd) => readAt(fd, operation.offset, operation.length));
      case "mkdir":
        return void fs.mkdirSync(at, operation.mode);
      case "symlink":
        return fs.symlinkSync(operation.target, at);
      case "readlink":
        return fs.readlinkSync(at);
      case "link":
        return fs.linkSync(at, join(this.#folder, operation.to));
      case "rename":
        return native.renameWithFlags(at, join(this.#folder, operation.to), operation.flags);
      case "unlink":
        return fs.unlinkSync(at);
      case "rmdir":
        return fs.rmdirSync(at);
      case "list":
        return fs.readdirSync(at).sort();
      case "stat":
        return shown(fs.lstatSync(at));
      case "chmod":
        return fs.chmodSync(at, operation.mode);
      case "utimes":
        return fs.utimesSync(at, operation.sec, operation.sec);
      case "setxattr":
        return native.setXattr(at, operation.name, Buffer.from(operation.value), operation.flags);
      case "getxattr":
        return Buffer.from(native.getXattr(at, operation.name));
      case "removexattr":
        return native.removeXattr(at, operation.name);
      default:
        throw new Error(`no such step: ${operation.do}`);
    }
  }

  #inOverlay(operation: Operation): unknown {
    const client = this.#client;
    const path = "path" in operation ? operation.path : "";
    const opened = <T>(use: (file: Handle) => T): T => {
      const file = client.open(path, fs.constants.O_RDWR);
      try {
        return use(file);
      } finally {
        client.close(file);
      }
    };
    switch (operation.do) {
      case "create": {
        const file = client.create(path, operation.mode);
        client.write(file, 0, pattern(operation.bytes, this.#steps));
        return client.close(file);
      }
      case "write":
        return opened(
          (file) => void client.write(file, operation.offset, pattern(operation.bytes, this.#steps)),
        );
      case "truncate":
        return opened(
          ({ ino }) => void client.run((overlay) => overlay.setattr(ino, { sizeBytes: operation.size })),
        );
      case "fallocate":
        return opened(({ ino }) =>
          client.run((overlay) => overlay.fallocate(ino, operation.mode, operation.offset, operation.length)),
        );
      case "read":
        return opened((file) => client.read(file, operation.offset, operation.length));
      case "mkdir":
        return void client.mkdir(path, operation.mode);
      case "symlink":
        return void client.symlink(path, operation.target);
      case "readlink": {
        const { ino } = client.resolve(path);
        return client.run((overlay) => overlay.readlink(ino));
      }
      case "link":
        return void client.link(path, operation.to);
      case "rename":
        return client.rename(path, operation.to, operation.flags);
      case "unlink":
        return client.unlink(path);
      case "rmdir":
        return client.rmdir(path);
      case "list":
        return client
          .list(path)
          .map(([name]) => name)
          .sort();
      case "stat": {
        const { mode, nlink, sizeBytes, uid, gid } = client.resolve(path);
        return shown({ mode, nlink, size: sizeBytes, uid, gid });
      }
      case "chmod": {
        const { ino } = client.follow(path);
        return void client.run((overlay) => overlay.setattr(ino, { mode: operation.mode }));
      }
      case "utimes": {
        const { ino } = client.follow(path);
        return void client.run((overlay) => overlay.setattr(ino, { mtime: { sec: operation.sec, nsec: 0 } }));
      }
      case "setxattr": {
        const { ino } = client.resolve(path);
        const value = Buffer.from(operation.value);
        return client.run((overlay) => overlay.setxattr(ino, operation.name, value, operation.flags));
      }
      case "getxattr": {
        const { ino } = client.resolve(path);
        return Buffer.from(client.run((overlay) => overlay.getxattr(ino, operation.name)));
      }
      case "removexattr": {
        const { ino } = client.resolve(path);
        return client.run((overlay) => overlay.removexattr(ino, operation.name));
      }
      default:
        throw new Error(`no such step: ${operation.do}`);
    }
  }
}

function outcomeOf(work: () => unknown): Outcome {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof FileSystemError) return { error: error.errno };
    if (error instanceof Error && "code" in error && /^E[A-Z0-9]+$/.test(String(error.code)))
      return { error: String(error.code) };
    throw error;
  }
}

function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const target = Buffer.alloc(length);
  return target.subarray(0, fs.readSync(fd, target, 0, length, offset));
}

/** Of directories, size and links are each file system's own. */
function shown({
  mode,
  nlink,
  size,
  uid,
  gid,
}: Pick<fs.Stats, "mode" | "nlink" | "size" | "uid" | "gid">): unknown {
  return (mode & TYPE_MASK) === FileType.directory ? { mode, uid, gid } : { mode, nlink, size, uid, gid };
}

function layOut(folder: string, base: MemoryBase): void {
  fs.mkdirSync(folder);
  for (const entry of base.entries) {
    const at = join(folder, entry.path);
    const first =
      entry.type === EntryType.file
        ? entry.hardLinks?.find((other) => fs.existsSync(join(folder, other)))
        : undefined;
    if (entry.type === EntryType.directory) fs.mkdirSync(at, { recursive: true });
    else if (entry.type === EntryType.symlink) fs.symlinkSync(entry.target, at);
    else if (first !== undefined) fs.linkSync(join(folder, first), at);
    else fs.writeFileSync(at, base.contentOf(entry.path));
    if (entry.type !== EntryType.symlink) fs.chmodSync(at, entry.mode);
    for (const [name, value] of entry.xattrs ?? []) native.setXattr(at, name, value, 0);
  }
}

function nth(paths: readonly string[], index: number): string {
  return paths[index % paths.length] ?? "none";
}
