/** A folder of the disk and a writable mount that began alike, on which each operation is tried alike and compared. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Nodes, type Where, choose } from "../overlay/support/where.js";
import { layOut } from "./first-tree.js";
import { type ModelHome, WritableMount } from "./mount.js";
import { type FileOperation, type MountOperation, type Operation, isOfMount } from "./operations.js";
import { type Outcome, type Side, closeAll, perform, shown, shownAt, shownOpen } from "./perform.js";
import { AT_FDCWD, At, c, call, lstat, timespecs } from "./syscalls.js";
import { type Node, type TreeState, differences, isSpecial, keptOf, treeOfFolder } from "./tree.js";

/** The two sides, or what must be the same before and after, differ. */
export class Difference extends Error {}

/** Whole trees are compared after so many operations. */
const COMPARED_EVERY = 250;
/** Moving or removing the root means other things to a mountpoint. */
const NOT_OF_ROOT: ReadonlySet<Operation["do"]> = new Set(["rename", "unlink", "rmdir", "link"]);

export class Pair {
  readonly #sinceNs = BigInt(Date.now()) * 1_000_000n;
  readonly #inFolder: Side;
  readonly #mounted: Side;
  #nodes: Nodes | undefined;
  #steps = 0;

  private constructor(
    private readonly folder: string,
    private readonly mount: WritableMount,
  ) {
    this.#inFolder = this.#sideOf(join(folder, "disk", "tree"), true);
    this.#mounted = this.#sideOf(mount.path, false);
  }

  static async begin(home: ModelHome): Promise<Pair> {
    const folder = mkdtempSync(join(tmpdir(), "varve-model-"));
    const mount = new WritableMount(home, join(folder, "mount", "tree"));
    const pair = new Pair(folder, mount);
    for (const path of [dirname(pair.#inFolder.root), mount.path]) mkdirSync(path, { recursive: true });
    layOut(pair.#inFolder.root);
    await mount.begin();
    return pair;
  }

  /** Chooses paths among what the folder holds now. */
  resolved(planned: Operation<Where>): Operation {
    if (isOfMount(planned)) return planned;
    this.#nodes ??= nodesBelow(this.#inFolder.root);
    const chosen = { ...planned } as Record<string, unknown>;
    for (const field of ["path", "to"]) {
      if (chosen[field] === undefined) continue;
      const path = choose(chosen[field] as Where, this.#nodes);
      chosen[field] = path === "" && NOT_OF_ROOT.has(planned.do) ? "none" : path;
    }
    return chosen as unknown as Operation;
  }

  /** Tries an operation on both sides; gives what both gave. @throws {Difference} */
  async step(operation: Operation): Promise<Outcome> {
    this.#steps++;
    if (isOfMount(operation)) return this.#ofMount(operation);
    const outcome = this.#both((side) => perform(side, operation, this.#steps), "gave");
    this.#nodes = undefined;
    for (const path of pathsNear(operation)) this.#both((side) => shownAt(side, path), `shows at ${path}`);
    if ("slot" in operation) this.#both((side) => shownOpen(side, operation.slot), "shows of the open file");
    if (this.#steps % COMPARED_EVERY === 0) this.compare();
    return outcome;
  }

  /** @throws {Difference} */
  compare(): void {
    const told = (node: Node): unknown => ({ ...node, mtimeNs: this.#timeOf(node) });
    const [disk, mount] = [treeOfFolder(this.#inFolder.root), treeOfFolder(this.#mounted.root)];
    requireEqual("trees", differences(["folder", disk], ["mount", mount], told));
  }

  /** Unmounts for good; the version that makes is compared too. @throws {Difference} */
  async end(): Promise<void> {
    const before = this.#closed();
    await this.mount.unmount();
    await this.#compareVersion(before);
  }

  remove(): void {
    closeAll(this.#inFolder);
    closeAll(this.#mounted);
    this.mount.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #sideOf(root: string, isDisk: boolean): Side {
    return { root, open: new Map(), isDisk, sinceNs: this.#sinceNs };
  }

  #both(look: (side: Side) => Outcome, what: string): Outcome {
    const [disk, mount] = [look(this.#inFolder), look(this.#mounted)];
    if (isDeepStrictEqual(disk, mount)) return disk;
    throw new Difference(`${what}\n  folder: ${textOf(disk)}\n  mount:  ${textOf(mount)}`);
  }

  async #ofMount({ do: kind }: MountOperation): Promise<Outcome> {
    if (kind === "commit") await this.#commit();
    else if (kind === "remount") await this.#remount();
    else await this.#crash();
    this.compare();
    return { value: kind };
  }

  async #commit(): Promise<void> {
    this.compare();
    const before = treeOfFolder(this.#mounted.root);
    await this.mount.commit();
    this.#requireSame(before, "a live commit");
    await this.#compareVersion(before);
  }

  /** What a version cannot hold is gone from the mount afterwards, so it is removed from the folder too. */
  async #remount(): Promise<void> {
    const before = this.#closed();
    await this.mount.remount();
    await this.#compareVersion(before);
    removeSpecials(this.#inFolder.root, before);
    this.#nodes = undefined;
    this.#requireSame(keptOf(before), "unmounting and mounting the child");
  }

  async #crash(): Promise<void> {
    const before = this.#closed();
    await this.mount.crash();
    this.#requireSame(before, "a crash and recovering");
  }

  /** The mount's tree once nothing is open: closed files lose nothing in a crash. */
  #closed(): TreeState {
    closeAll(this.#inFolder);
    closeAll(this.#mounted);
    this.compare();
    return treeOfFolder(this.#mounted.root);
  }

  /** To the nanosecond. */
  #requireSame(before: TreeState, through: string): void {
    const after = treeOfFolder(this.#mounted.root);
    requireEqual(`mount changed by ${through}`, differences(["before", before], ["after", after]));
  }

  async #compareVersion(mounted: TreeState): Promise<void> {
    const version = await this.mount.lastVersion();
    requireEqual("version", differences(["mount", keptOf(mounted)], ["version", version]));
  }

  #timeOf(node: Node): unknown {
    const stat = { mode: parseInt(node.mode, 8), uid: 0, gid: 0, nlink: 1, ino: 1, sizeBytes: 0 };
    return (shown(this.#inFolder, { ...stat, mtimeNs: BigInt(node.mtimeNs) }) as { mtime: string }).mtime;
  }
}

function requireEqual(what: string, lines: readonly string[]): void {
  if (lines.length > 0) throw new Difference(`${what}\n${lines.slice(0, 8).join("\n")}`);
}

/** The paths an operation is about, and the directories they are in. */
function pathsNear(operation: FileOperation): Set<string> {
  const paths = [
    "path" in operation ? operation.path : undefined,
    "to" in operation ? operation.to : undefined,
  ].filter((path) => path !== undefined);
  const parents = paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf("/"))));
  return new Set([...paths, ...parents]);
}

function nodesBelow(root: string): Nodes {
  const nodes = { all: [] as string[], files: [] as string[], directories: [] as string[] };
  const visit = (path: string): void => {
    const found = readdirSync(Buffer.from(`${root}/${path}`, "latin1"), {
      withFileTypes: true,
      encoding: "buffer",
    });
    for (const node of found) {
      const below = `${path}${node.name.toString("latin1")}`;
      nodes.all.push(below);
      if (node.isFile()) nodes.files.push(below);
      if (!node.isDirectory()) continue;
      nodes.directories.push(below);
      visit(`${below}/`);
    }
  };
  visit("");
  for (const paths of Object.values(nodes)) paths.sort();
  return nodes;
}

/** Directories keep the times they had. */
function removeSpecials(root: string, tree: TreeState): void {
  for (const [path, node] of tree) {
    if (!isSpecial(node)) continue;
    const parent = `${root}/${path.slice(0, Math.max(0, path.lastIndexOf("/")))}`;
    const { mtimeNs } = lstat(parent);
    call("unlinkat", AT_FDCWD, c(`${root}/${path}`), 0);
    call("utimensat", AT_FDCWD, c(parent), timespecs("omit", mtimeNs), At.symlinkNoFollow);
  }
}

function textOf(outcome: Outcome): string {
  if ("error" in outcome) return outcome.error;
  const { value } = outcome;
  return Buffer.isBuffer(value)
    ? `${value.length} bytes ${value.subarray(0, 32).toString("hex")}`
    : JSON.stringify(value);
}
