/**
 * Stages local files, links and folders one by one, each compared with what the draft has at its path, and counts what it
 * did. What only its bytes can tell (a file of the same size that this machine has not hashed before) is hashed in `settle`.
 */
import { hashFiles } from "../content/hash-files.js";
import type { HashedContent } from "../content/source.js";
import { type Entry, EntryType, type FileEntry, type LinkEntry, isLinkable } from "../manifest/entry.js";
import { samePaths } from "../manifest/entry-compare.js";
import { compareKeys, keyOf } from "../manifest/key.js";
import type { TreePath } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { effectOf } from "./effect.js";
import { type LocalEntry, attributesOf } from "./local-folder.js";
import { newCounts } from "./stage-counts.js";
import { Effect } from "./staging.js";
import type { Remembered, Stamps } from "./stamps.js";

export type LocalFile = Extract<LocalEntry, { type: typeof EntryType.file }>;

/** What the draft has there, and what is remembered of the local file. */
export interface Known {
  existing: Entry | undefined;
  remembered: Remembered | undefined;
}

export interface SettleOptions {
  /** Threads that hash. Default: one a core, at most 8. */
  maxWorkers?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A file that may be what the draft has: it has its size, and the bytes will tell. */
interface Unsure {
  local: LocalFile;
  path: TreePath;
  existing: FileEntry | LinkEntry;
}

/** Files to hash that are gathered before they are. */
const MOST_UNSURE = 20_000;

export class EntryStage {
  readonly counts = newCounts();
  private readonly hardLinks = new Map<string, TreePath[]>();
  private unsure: Unsure[] = [];

  constructor(
    private readonly tree: DraftTree,
    private readonly stamps: Stamps,
    /** Told of files that were not there and whose content waits for its upload. */
    private readonly onAdded?: (path: TreePath) => void,
  ) {}

  /** Stages an entry where it differs from what is there. To be called within a transaction. */
  stage(local: LocalEntry, path: TreePath, known: Known): void {
    if (local.type === EntryType.directory) {
      this.stageFolder(local, path, known.existing);
      return;
    }
    this.counts.files++;
    if (local.hardLink !== undefined) this.noteHardLink(local.hardLink, path);
    if (local.type === EntryType.file) this.stageFile(local, path, known);
    else this.stageSymlink(local, path, known.existing);
  }

  /** Hashes what has to be, when enough has come together. */
  async settleSome(options: SettleOptions): Promise<void> {
    if (this.unsure.length >= MOST_UNSURE) await this.settleUnsure(options);
  }

  /** Hashes the rest. Files and links of one inode that were staged together are kept as hard links; names elsewhere do not count. */
  async settle(options: SettleOptions): Promise<void> {
    await this.settleUnsure(options);
    for (const paths of this.hardLinks.values()) await this.linkTogether(paths);
  }

  private stageFolder(local: LocalEntry, path: TreePath, existing: Entry | undefined): void {
    const entry: Entry = { type: EntryType.directory, path, ...attributesOf(local) };
    const effect = effectOf(existing, entry);
    if (effect === Effect.none) return;
    this.tree.staging.put(entry, effect);
    this.tree.noteDirectory(path);
  }

  /** What a symbolic link was linked with it stays linked with until `settle`. */
  private stageSymlink(
    local: Extract<LocalEntry, { type: typeof EntryType.symlink }>,
    path: TreePath,
    existing: Entry | undefined,
  ): void {
    const { type, target, hardLink } = local;
    const hardLinks = hardLink !== undefined && existing?.type === type ? existing.hardLinks : undefined;
    this.put({ type, path, ...attributesOf(local), target, hardLinks }, existing);
  }

  private stageFile(local: LocalFile, path: TreePath, { existing, remembered }: Known): void {
    if (existing?.type !== EntryType.file && existing?.type !== EntryType.link)
      this.putPending(local, path, existing);
    else if (isPending(existing)) this.stageAgain(local, path, existing);
    else if (local.sizeBytes !== existing.sizeBytes || existing.sha256 === undefined)
      this.putPending(local, path, existing);
    else if (remembered?.stamp !== local.stamp) this.unsure.push({ local, path, existing });
    else if (remembered.sha256 !== existing.sha256) this.putPending(local, path, existing);
    else if (!remembered.hasXattrs && looksTheSame(local, existing)) this.counts.unchanged++;
    else this.keepContent(local, path, existing);
  }

  /** What waits for its upload is left to wait while the file is as it was when it was staged. */
  private stageAgain(local: LocalFile, path: TreePath, existing: FileEntry): void {
    const source = this.tree.staging.sourceOf(path);
    const isSame = source?.kind === "file" && source.path === local.path && source.stamp === local.stamp;
    if (isSame) this.counts.unchanged++;
    else this.putPending(local, path, existing);
  }

  /** An external file whose bytes are those of the local file stays external. */
  private keepContent(local: LocalFile, path: TreePath, existing: FileEntry | LinkEntry): void {
    if (existing.type === EntryType.link) {
      this.counts.unchanged++;
      return;
    }
    const hardLinks = local.hardLink === undefined ? undefined : existing.hardLinks;
    this.put({ ...existing, path, ...attributesOf(local), hardLinks }, existing);
  }

  private putPending(local: LocalFile, path: TreePath, existing: Entry | undefined): void {
    const entry = { type: local.type, path, ...attributesOf(local), sizeBytes: local.sizeBytes };
    this.tree.staging.putPending(entry, { kind: "file", path: local.path, stamp: local.stamp });
    this.counts[existing ? "modified" : "added"]++;
    if (!existing) this.onAdded?.(path);
  }

  private put(entry: Entry, existing: Entry | undefined): void {
    const effect = effectOf(existing, entry);
    if (effect === Effect.none) this.counts.unchanged++;
    else if (effect === Effect.metadata) this.counts.metadata++;
    else this.counts[existing ? "modified" : "added"]++;
    if (effect !== Effect.none) this.tree.staging.put(entry, effect);
  }

  private async settleUnsure({ maxWorkers: workers, signal }: SettleOptions): Promise<void> {
    const unsure = this.unsure;
    this.unsure = [];
    if (unsure.length === 0) return;
    const files = unsure.map((id) => ({ id, sizeBytes: id.local.sizeBytes, path: id.local.path }));
    const hashed: HashedContent<Unsure>[] = [];
    const startedMs = Date.now();
    for await (const content of hashFiles(files, { workers, signal })) hashed.push(content);
    this.tree.staging.transaction(() => {
      for (const content of hashed) this.settleOne(content);
    });
    this.remember(
      hashed.filter((content) => isAsScanned(content, content.id.local)),
      startedMs,
    );
  }

  private settleOne(content: HashedContent<Unsure>): void {
    const { local, path, existing } = content.id;
    if (content.sha256 === existing.sha256 && isAsScanned(content, local))
      this.keepContent(local, path, existing);
    else this.putPending(local, path, existing);
  }

  private remember(hashed: readonly HashedContent<Unsure>[], readAtMs: number): void {
    const stamped = hashed.map(({ id: { local }, sha256 }) => {
      const hasXattrs = attributesOf(local).xattrs !== undefined;
      return { path: local.path, stamp: local.stamp, sha256, hasXattrs };
    });
    this.stamps.remember(stamped, readAtMs);
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
      this.tree.staging.setHardLinks({ ...entry, hardLinks: hardLinks.length > 0 ? hardLinks : undefined });
    }
  }
}

/** Staged, its hash not known yet. */
function isPending(entry: FileEntry | LinkEntry): entry is FileEntry {
  return entry.type === EntryType.file && entry.sha256 === "";
}

/** Whether what was hashed is what was scanned. */
export function isAsScanned(
  { sizeBytes, mtimeSec, mtimeNsec }: HashedContent<unknown>,
  scanned: Pick<LocalFile, "sizeBytes" | "mtimeSec" | "mtimeNsec">,
): boolean {
  return sizeBytes === scanned.sizeBytes && mtimeSec === scanned.mtimeSec && mtimeNsec === scanned.mtimeNsec;
}

/** Whether a file without extended attributes and further names is in all as it was: nearly always, so asked first. */
function looksTheSame(local: LocalFile, existing: FileEntry | LinkEntry): boolean {
  return (
    existing.type === EntryType.file &&
    local.mode === existing.mode &&
    local.mtimeSec === existing.mtimeSec &&
    local.mtimeNsec === existing.mtimeNsec &&
    local.uid === existing.uid &&
    local.gid === existing.gid &&
    existing.xattrs === undefined &&
    existing.hardLinks === undefined &&
    local.hardLink === undefined
  );
}
