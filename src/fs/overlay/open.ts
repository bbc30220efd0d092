/** Opening an overlay's folder to write: what an earlier process left behind is put in order first. */
import { mkdirSync, rmSync } from "node:fs";
import type { BaseFiles } from "./base.js";
import { Clones, clonesFolder } from "./clones.js";
import type { Core } from "./core.js";
import { DataFiles } from "./data-files.js";
import { Handles } from "./handles.js";
import { InodeFlag, type Time, modifiedAt } from "./inode.js";
import { Journal } from "./journal.js";
import { kernelTime } from "./libc.js";
import { dropInode } from "./remove.js";
import { openToWrite } from "./schema.js";
import { settled } from "./settle.js";
import { Space, type SpaceOptions } from "./space.js";

export interface CoreOptions extends SpaceOptions {
  /** Unix time. Default: the clock by which the kernel dates what is written, so that nothing seems older than what came before. */
  now?: (() => Time) | undefined;
  /**
   * Default `clock`: writing or resizing a file sets its times. `told`: `setattr` alone does, since a kernel with a
   * writeback cache keeps the times of files itself, and has told them by the time a file is flushed or synced.
   */
  writeTimes?: "clock" | "told" | undefined;
}

/** @throws {DatasetError} `format-newer`, `format-damaged` */
export function openCore(directory: string, base: BaseFiles, options: CoreOptions): Core {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const space = new Space(directory, options);
  const journal = new Journal(openToWrite(directory), () => space.makeRoom());
  const data = new DataFiles(directory);
  const clones = new Clones(directory, journal, data);
  const now = options.now ?? kernelTime;
  const written = () => (options.writeTimes === "told" ? {} : modifiedAt(now()));
  const parts = { base, journal, data, clones, space, now, written };
  const core: Core = { ...parts, handles: new Handles(), orphans: new Set(), failedUnwritten: new Set() };
  putInOrder(core, directory);
  return core;
}

/** Files somebody was writing are as their last write left them; what nobody can reach any more goes. */
function putInOrder(core: Core, directory: string): void {
  const { journal, data } = core;
  settleAll(core);
  for (const ino of journal.inodes.orphans()) dropInode(core, ino);
  const known = new Set(journal.inodes.all());
  for (const ino of data.inodes()) if (!known.has(ino)) data.remove(ino);
  journal.transaction(() => journal.db.prepare("delete from clones").run());
  rmSync(clonesFolder(directory), { recursive: true, force: true });
}

function settleAll({ journal, data }: Core): void {
  journal.transaction(() => {
    for (const ino of journal.inodes.withFlag(InodeFlag.lagging)) {
      const inode = journal.inodes.get(ino);
      if (inode) journal.inodes.save(settled(inode, data.stat(ino)));
    }
  });
}
