/**
 * Stages what a local folder holds into a draft, directory by directory, comparing with what the draft has. Unchanged
 * files are told by their stamp where this machine knows it, else by their hash once uploaded (`upload.ts`).
 */
import { DatasetError } from "../errors.js";
import { type Entry, EntryType, type FileEntry, isLinkable } from "../manifest/entry.js";
import { samePaths } from "../manifest/entry-compare.js";
import { compareKeys, keyOf } from "../manifest/key.js";
import { RESERVED_NAME, ROOT, type TreePath, joinPath, nameOf, parentOf, textOf } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { effectOf } from "./effect.js";
import {
  type LocalEntry,
  type SpecialFile,
  attributesOf,
  readLocalDirectory,
  readLocalRoot,
} from "./local-folder.js";
import { Effect, type Staging } from "./staging.js";
import type { Remembered, Stamps } from "./stamps.js";
import { type Matcher, matcherOf } from "./wildcard.js";

export interface StageOptions {
  /** Patterns of what to take; all when empty. One without `/` is held against names, else against paths. */
  wildcards?: readonly string[] | undefined;
  /** Default true: folders below are walked. */
  recursive?: boolean | undefined;
  /** Default false: what the folder does not hold is staged as removed. */
  removeMissing?: boolean | undefined;
  /** Real paths, byte strings, of folders to leave out: varve's own, which would come to hold themselves. Default: none. */
  leaveOut?: ReadonlySet<string> | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((files: number) => void) | undefined;
}

export interface StageCounts {
  added: number;
  /** Content or kind changed, or may have: an equal size with an unknown hash is counted once it is known. */
  modified: number;
  removed: number;
  /** Files seen, changed or not. */
  files: number;
  /** What cannot be kept in a version (fifos, sockets, devices, a root entry called `.varve`, varve's own folders). */
  skipped: string[];
}

type LocalFile = Extract<LocalEntry, { type: typeof EntryType.file }>;

/** Walks one folder; `from` is absolute and a byte string, `to` the place in the dataset. */
export async function stageFolder(
  tree: DraftTree,
  stamps: Stamps,
  from: string,
  to: TreePath,
  options: StageOptions = {},
): Promise<StageCounts> {
  const top = checkFolder(from);
  const walk = new FolderWalk(tree, stamps, { ...options, realFolder: top.path });
  if (!options.wildcards?.length) await walk.top(top, to);
  await walk.directory(from, to, "");
  await walk.linkHardLinks();
  return walk.counts;
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

class FolderWalk {
  readonly counts: StageCounts = { added: 0, modified: 0, removed: 0, files: 0, skipped: [] };
  private readonly hardLinks = new Map<string, TreePath[]>();
  private readonly staging: Staging;
  private readonly matches: Matcher;

  constructor(
    private readonly tree: DraftTree,
    private readonly stamps: Stamps,
    private readonly options: StageOptions & { realFolder: string },
  ) {
    this.staging = tree.staging;
    this.matches = matcherOf(options.wildcards ?? []);
  }

  /** One directory, then those below it. Everything staged for one directory is one transaction. */
  async directory(from: string, to: TreePath, relative: string): Promise<void> {
    this.options.signal?.throwIfAborted();
    const local = readLocalDirectory(from).filter((entry) => this.accepts(entry, to, relative));
    const existing = new Map((await this.tree.children(to)).map((entry) => [entry.path, entry]));
    await this.makeWay(local, existing);
    if (this.takesDirectories() || local.some(({ type }) => type !== EntryType.directory))
      await this.tree.ensureDirectory(to);
    const known = this.stamps.directory(from);
    this.staging.transaction(() => {
      for (const entry of local) {
        const path = joinPath(to, entry.name);
        this.stage(entry, path, existing.get(path), known.get(entry.name));
      }
    });
    this.options.onProgress?.(this.counts.files);
    for (const entry of local)
      if (entry.type === EntryType.directory)
        await this.directory(entry.path, joinPath(to, entry.name), joinRelative(relative, entry.name));
  }

  /** Files and links of one inode that are in the walk together are kept as hard links; names elsewhere do not count. */
  async linkHardLinks(): Promise<void> {
    for (const paths of this.hardLinks.values()) await this.linkTogether(paths);
  }

  /** The folder itself: its mode and times are those of the place it goes to. */
  async top(local: LocalEntry, to: TreePath): Promise<void> {
    if (local.type !== EntryType.directory) return;
    if (to !== ROOT) await this.tree.ensureDirectory(parentOf(to));
    this.stagePlain(local, to, await this.tree.get(to));
  }

  private accepts(entry: LocalEntry | SpecialFile, to: TreePath, relative: string): entry is LocalEntry {
    const isReserved = to === ROOT && entry.name === RESERVED_NAME;
    if (entry.type === "special" || isReserved || this.isOwn(joinRelative(relative, entry.name))) {
      this.counts.skipped.push(textOf(entry.path));
      return false;
    }
    if (entry.type === EntryType.directory) return this.options.recursive !== false;
    return this.matches(joinRelative(relative, entry.name));
  }

  private isOwn(relative: string): boolean {
    const { leaveOut, realFolder } = this.options;
    return leaveOut?.has(`${realFolder}/${relative}`) === true;
  }

  private stage(
    entry: LocalEntry,
    path: TreePath,
    existing: Entry | undefined,
    known: Remembered | undefined,
  ): void {
    if (entry.type === EntryType.directory) {
      if (this.takesDirectories()) this.stagePlain(entry, path, existing);
      return;
    }
    this.counts.files++;
    if (entry.type === EntryType.symlink) this.stagePlain(entry, path, existing);
    else this.stageFile(entry, path, existing, known);
  }

  /** With wildcards only the folders that something lies in are made. */
  private takesDirectories(): boolean {
    return (this.options.wildcards ?? []).length === 0;
  }

  private stagePlain(
    local: Exclude<LocalEntry, LocalFile>,
    path: TreePath,
    existing: Entry | undefined,
  ): void {
    const entry = this.plainOf(local, path, existing);
    const effect = effectOf(existing, entry);
    if (effect === Effect.none) return;
    if (effect === Effect.content && local.type === EntryType.symlink) this.count(existing);
    this.staging.put(entry, effect);
    if (local.type === EntryType.directory) this.tree.noteDirectory(path);
  }

  /** What a symbolic link was linked with it stays linked with until `linkHardLinks`. */
  private plainOf(local: Exclude<LocalEntry, LocalFile>, path: TreePath, existing: Entry | undefined): Entry {
    if (local.type === EntryType.directory) return { type: local.type, path, ...attributesOf(local) };
    const { type, target, hardLink } = local;
    if (hardLink !== undefined) this.noteHardLink(hardLink, path);
    const hardLinks = hardLink !== undefined && existing?.type === type ? existing.hardLinks : undefined;
    return { type, path, ...attributesOf(local), target, hardLinks };
  }

  private stageFile(
    local: LocalFile,
    path: TreePath,
    existing: Entry | undefined,
    known: Remembered | undefined,
  ): void {
    if (local.hardLink !== undefined) this.noteHardLink(local.hardLink, path);
    if (existing?.type !== EntryType.file || !isUnchanged(local, existing, known)) {
      const entry = { type: local.type, path, ...attributesOf(local), sizeBytes: local.sizeBytes };
      this.count(existing);
      this.staging.putPending(entry, { kind: "file", path: local.path, stamp: local.stamp });
      return;
    }
    if (!known?.hasXattrs && looksTheSame(local, existing)) return;
    const hardLinks = local.hardLink === undefined ? undefined : existing.hardLinks;
    const after = { ...existing, ...attributesOf(local), hardLinks };
    const effect = effectOf(existing, after);
    if (effect !== Effect.none) this.staging.put(after, effect);
  }

  /** What the folder lacks goes, if it is to; and a folder whose place a file takes loses all that is below it. */
  private async makeWay(local: readonly LocalEntry[], existing: ReadonlyMap<TreePath, Entry>): Promise<void> {
    const types = new Map<string, EntryType>(local.map(({ name, type }) => [name, type]));
    for (const [path, { type }] of existing) {
      const taker = types.get(nameOf(path));
      const isGone = taker === undefined && this.options.removeMissing === true;
      const isReplaced = taker !== undefined && type === EntryType.directory && taker !== type;
      if (isGone || isReplaced) this.counts.removed += await this.tree.remove(path);
    }
  }

  private count(existing: Entry | undefined): void {
    if (existing) this.counts.modified++;
    else this.counts.added++;
  }

  private noteHardLink(inode: string, path: TreePath): void {
    const paths = this.hardLinks.get(inode);
    if (paths) paths.push(path);
    else this.hardLinks.set(inode, [path]);
  }

  private async linkTogether(paths: TreePath[]): Promise<void> {
    const [first, ...others] = paths.sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
    for (const path of paths) {
      const entry = await this.tree.get(path);
      const hardLinks = path === first ? others : [first!];
      if (!entry || !isLinkable(entry) || samePaths(entry.hardLinks ?? [], hardLinks)) continue;
      this.staging.setHardLinks({ ...entry, hardLinks: hardLinks.length > 0 ? hardLinks : undefined });
    }
  }
}

function joinRelative(relative: string, name: string): string {
  return relative === "" ? name : `${relative}/${name}`;
}

function isUnchanged(local: LocalFile, existing: FileEntry, known: Remembered | undefined): boolean {
  return (
    local.sizeBytes === existing.sizeBytes && known?.stamp === local.stamp && known.sha256 === existing.sha256
  );
}

/** Whether a file without extended attributes and further names is in all as it was: nearly always, so asked first. */
function looksTheSame(
  local: LocalFile,
  { mode, mtimeSec, mtimeNsec, uid, gid, xattrs, hardLinks }: FileEntry,
): boolean {
  return (
    local.mode === mode &&
    local.mtimeSec === mtimeSec &&
    local.mtimeNsec === mtimeNsec &&
    local.uid === uid &&
    local.gid === gid &&
    xattrs === undefined &&
    hardLinks === undefined &&
    local.hardLink === undefined
  );
}
