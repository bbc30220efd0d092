/** Stages the changes of an overlay into a draft: what a commit, `status` and `diff` of a writable mount are made of. */
import type { Cache } from "../cache/cache.js";
import type { OverlayChange, OverlaySnapshot } from "../fs/overlay/snapshot.js";
import { type Entry, EntryType, type FileEntry, type LinkEntry, isLinkable } from "../manifest/entry.js";
import { compareKeys, keyOf } from "../manifest/key.js";
import type { Tree } from "../manifest/tree.js";
import { type Name, type TreePath, isWithin, nameOf } from "../paths.js";
import type { DraftTree } from "./draft-tree.js";
import { effectOf } from "./effect.js";
import { GraftedLinks } from "./grafted-links.js";
import { Effect } from "./staging.js";

type Put = Extract<OverlayChange, { kind: "put" }>;
type Graft = Extract<OverlayChange, { kind: "graft" }>;

/** Rows written in one transaction. */
const BATCH = 1_000;

/**
 * Stages everything an overlay changed; gives the paths that cannot be kept in a version.
 *
 * @param isLeftOut Names a transport made for itself.
 * @param base The tree of the mounted version: grafts and unchanged content refer to it by ordinal.
 */
export async function stageOverlay(
  draft: DraftTree,
  base: Tree,
  snapshot: OverlaySnapshot,
  cache: Cache,
  isLeftOut: (name: Name) => boolean = () => false,
): Promise<TreePath[]> {
  const skipped: TreePath[] = [];
  const links = new HardLinks();
  const grafted = new GraftedLinks();
  for await (const change of snapshot.changes()) {
    if (change.kind !== "remove" && isLeftOut(nameOf(change.path))) continue;
    if (change.kind === "skipped") skipped.push(change.path);
    else if (change.kind === "remove") await draft.remove(change.path);
    else if (change.kind === "graft") await stageGraft(draft, base, change, cache, grafted);
    else await stagePut(draft, base, change, cache, links);
  }
  await grafted.stage(draft);
  await links.stage(draft);
  return skipped;
}

/** A folder that was moved: all its entries under their new path, with the content they have. */
async function stageGraft(
  draft: DraftTree,
  base: Tree,
  graft: Graft,
  cache: Cache,
  links: GraftedLinks,
): Promise<void> {
  const from = await cache.complete(() => base.path(graft.from));
  await draft.put(
    movedTo(await cache.complete(() => base.entry(graft.from)), from, graft.path),
    Effect.content,
  );
  const directories = [graft.from];
  for (const directory of directories) {
    const path = await cache.complete(() => base.path(directory));
    const { start, end } = await cache.complete(() => base.children(path));
    for (let at = start; at < end; at += BATCH) {
      const stop = Math.min(end, at + BATCH);
      const entries = await cache.complete(() =>
        Array.from({ length: stop - at }, (_, i) => base.entry(at + i)),
      );
      draft.staging.transaction(() => {
        for (const entry of entries) {
          const moved = movedTo(entry, from, graft.path);
          draft.staging.put(moved, Effect.content);
          links.note(entry, moved);
        }
      });
      entries.forEach((entry, index) => {
        if (entry.type === EntryType.directory) directories.push(at + index);
      });
    }
  }
}

async function stagePut(
  draft: DraftTree,
  base: Tree,
  { path, entry, content }: Put,
  cache: Cache,
  links: HardLinks,
): Promise<void> {
  const before = await draft.inBase(path);
  const { mode, mtimeSec, mtimeNsec, uid, gid, xattrs } = entry;
  const common = { path, mode, mtimeSec, mtimeNsec, uid, gid, ...(xattrs?.size ? { xattrs } : {}) };
  if (entry.nlink > 1 && isLinkable(entry)) links.note(entry.ino, path);
  if (content.kind === "overlaid") {
    const { sizeBytes } = entry;
    await draft.putPending(
      { ...common, type: EntryType.file, sizeBytes },
      { kind: "overlay", ino: content.ino },
    );
    return;
  }
  const after = await entryWith(common, entry, content, base, cache);
  const effect = effectOf(before, after);
  // A row the mount touched and put back (chmod there and back) is no edit, unless something below it was staged over.
  if (effect === Effect.none && draft.staging.get(path) === undefined) return;
  await draft.put(after, effect);
}

async function entryWith(
  common: Pick<Entry, "path" | "mode" | "mtimeSec" | "mtimeNsec" | "uid" | "gid" | "xattrs">,
  entry: Put["entry"],
  content: Exclude<Put["content"], { kind: "overlaid" }>,
  base: Tree,
  cache: Cache,
): Promise<Entry> {
  if (content.kind === "base") {
    const unchanged = (await cache.complete(() => base.entry(content.ordinal))) as FileEntry | LinkEntry;
    if (unchanged.type === EntryType.link) return { ...unchanged, xattrs: undefined, ...common };
    return { ...unchanged, xattrs: undefined, hardLinks: undefined, ...common };
  }
  if (entry.type === EntryType.symlink) return { ...common, type: EntryType.symlink, target: entry.target! };
  return { ...common, type: EntryType.directory };
}

/** An entry of a moved folder; hard links among what is in it move along. */
function movedTo(entry: Entry, from: TreePath, to: TreePath): Entry {
  const moved = (path: TreePath) =>
    isWithin(path, from) ? ((to + path.slice(from.length)) as TreePath) : path;
  const path = moved(entry.path);
  if (!isLinkable(entry) || !entry.hardLinks) return { ...entry, path };
  return { ...entry, path, hardLinks: entry.hardLinks.map(moved) };
}

/** The paths of each inode that has several, as the overlay has them. */
class HardLinks {
  private readonly paths = new Map<number, TreePath[]>();

  note(ino: number, path: TreePath): void {
    const paths = this.paths.get(ino);
    if (paths) paths.push(path);
    else this.paths.set(ino, [path]);
  }

  async stage(draft: DraftTree): Promise<void> {
    for (const paths of this.paths.values()) {
      if (paths.length < 2) continue;
      const [first, ...others] = paths.sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
      for (const path of paths) {
        const entry = await draft.get(path);
        if (!entry || !isLinkable(entry)) continue;
        draft.staging.setHardLinks({ ...entry, hardLinks: path === first ? others : [first!] });
      }
    }
  }
}
