/**
 * Stages what a local folder holds into a draft, directory by directory: what `local-walk.ts` takes is staged by
 * `entry-stage.ts`, and what is no more is removed if the folder of the draft is to become equal.
 */
import { setImmediate } from "node:timers/promises";
import { DatasetError } from "../errors.js";
import { type Entry, EntryType } from "../manifest/entry.js";
import { ROOT, type TreePath, joinPath, nameOf, parentOf, textOf } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { EntryStage } from "./entry-stage.js";
import { type LocalEntry, readLocalRoot } from "./local-folder.js";
import { type WalkOptions, type WalkedFolder, walkFolder } from "./local-walk.js";
import type { StageCounts } from "./stage-counts.js";
import type { Stamps } from "./stamps.js";
import { stageRenames } from "./sync-renames.js";
import { type Patterns, wildcardsOf } from "./wildcard.js";

export interface StageOptions extends Pick<WalkOptions, "symlinks" | "ignoreFiles" | "leaveOut"> {
  /** What to take; all when there is none. What each pattern means: `docs/wildcards.md`. */
  wildcards?: Patterns | undefined;
  /** Default true: folders below are walked. */
  recursive?: boolean | undefined;
  /** Default false: what the folder does not hold is staged as removed. */
  removeMissing?: boolean | undefined;
  /** Threads that hash. Default: one a core, at most 8. */
  maxWorkers?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((files: number) => void) | undefined;
}

/** Walks one folder; `from` is absolute and a byte string, `to` the place in the dataset. */
export async function stageFolder(
  tree: DraftTree,
  stamps: Stamps,
  from: string,
  to: TreePath,
  options: StageOptions = {},
): Promise<StageCounts> {
  const top = checkFolder(from);
  const wildcards = wildcardsOf(options.wildcards, { ...options, under: textOf(from) });
  const stage = new FolderStage(tree, stamps, to, options);
  const { symlinks, ignoreFiles, leaveOut } = options;
  const walk = walkFolder(top.path, {
    wildcards,
    symlinks,
    ignoreFiles,
    leaveOut,
    isRoot: to === ROOT,
    onSkipped: (skipped) => stage.counts.skipped.push(skipped),
  });
  if (wildcards.areNone) await stage.top(top);
  for (const folder of walk) await stage.folder(folder);
  return stage.finish();
}

/** Whether a walk would take anything. */
export function holdsSomething(from: string, options: Omit<StageOptions, "onProgress">): boolean {
  const wildcards = wildcardsOf(options.wildcards, { ...options, under: textOf(from) });
  const { symlinks, ignoreFiles } = options;
  const onSkipped = () => undefined;
  for (const folder of walkFolder(from, {
    wildcards,
    symlinks,
    ignoreFiles,
    isRoot: false,
    onSkipped,
  }))
    if (folder.entries.some((entry) => isTaken(folder, entry))) return true;
  return false;
}

/**
 * What a local folder itself is.
 *
 * @throws {DatasetError} `bad-input` of what is no folder; `not-found`
 */
export function checkFolder(path: string): LocalEntry {
  const top = readLocalRoot(path);
  if (top.type !== EntryType.directory) throw notAFolder(path);
  return top;
}

function notAFolder(path: string): DatasetError<"bad-input"> {
  const shown = textOf(path);
  return new DatasetError("bad-input", { value: shown }, `Cannot walk "${shown}": it is not a folder`);
}

/** A bar moves a few times a second, and Ctrl-C is to be felt at once. */
const TURN_MS = 50;

class FolderStage {
  private readonly entries: EntryStage;
  private readonly added: TreePath[] = [];
  private readonly removed: Entry[] = [];
  private turnedAtMs = performance.now();

  constructor(
    private readonly tree: DraftTree,
    private readonly stamps: Stamps,
    private readonly to: TreePath,
    private readonly options: StageOptions,
  ) {
    const { removeMissing } = options;
    this.entries = new EntryStage(tree, stamps, (path) => removeMissing && this.added.push(path));
  }

  get counts(): StageCounts {
    return this.entries.counts;
  }

  /** The folder itself: its mode and times are those of the place it goes to. */
  async top(local: LocalEntry): Promise<void> {
    if (this.to !== ROOT) await this.tree.ensureDirectory(parentOf(this.to));
    this.entries.stage(local, this.to, { existing: await this.tree.get(this.to), remembered: undefined });
  }

  /** Everything staged for one folder is one transaction. */
  async folder(walked: WalkedFolder): Promise<void> {
    this.options.signal?.throwIfAborted();
    const { entries } = walked;
    const to = walked.relative === "" ? this.to : joinPath(this.to, walked.relative);
    const existing = new Map((await this.tree.children(to)).map((entry) => [entry.path, entry]));
    await this.makeWay(walked, existing);
    if (walked.isTaken || entries.some((entry) => isTaken(walked, entry)))
      await this.tree.ensureDirectory(to);
    const known = this.stamps.directory(walked.from);
    this.tree.staging.transaction(() => {
      for (const entry of entries) {
        const path = joinPath(to, entry.name);
        if (!isTaken(walked, entry)) continue;
        this.entries.stage(entry, path, {
          existing: existing.get(path),
          remembered: known.get(nameOf(entry.path as TreePath)),
        });
      }
    });
    this.options.onProgress?.(this.counts.files);
    await this.entries.settleSome(this.options);
    await this.turn();
  }

  /** Lets timers and signals have their turn, now and then: walking alone would keep them from it. */
  private async turn(): Promise<void> {
    const now = performance.now();
    if (now - this.turnedAtMs < TURN_MS) return;
    await setImmediate();
    this.turnedAtMs = now;
  }

  async finish(): Promise<StageCounts> {
    await this.entries.settle(this.options);
    if (this.removed.length > 0 && this.added.length > 0) await this.findRenames();
    return this.counts;
  }

  private async findRenames(): Promise<void> {
    const { tree, stamps, removed, added, counts } = this;
    const renamed = await stageRenames(tree, stamps, removed, added, this.options);
    counts.renamed = renamed;
    counts.added -= renamed;
    counts.removed -= renamed;
  }

  /** What the folder lacks goes, if it is to; and a folder whose place a file takes loses all that is below it. */
  private async makeWay(
    { entries, outOfReach }: WalkedFolder,
    existing: ReadonlyMap<TreePath, Entry>,
  ): Promise<void> {
    if (existing.size === 0) return;
    const types = new Map<string, EntryType>(entries.map(({ name, type }) => [name, type]));
    for (const [path, { type }] of existing) {
      const taker = types.get(nameOf(path));
      const isGone =
        taker === undefined && this.options.removeMissing === true && !outOfReach.has(nameOf(path));
      const isReplaced = taker !== undefined && type === EntryType.directory && taker !== type;
      if (isGone || isReplaced) this.note(await this.tree.remove(path));
    }
  }

  private note(removed: readonly Entry[]): void {
    this.counts.removed += removed.length;
    if (this.options.removeMissing) for (const entry of removed) this.removed.push(entry);
  }
}

/** Whether an entry is taken itself, and not only something in it. */
function isTaken({ takesFolder }: WalkedFolder, entry: LocalEntry): boolean {
  return entry.type !== EntryType.directory || takesFolder(entry);
}
