/**
 * Histories of any length, and what the last version costs to use: a chain, where each version adds a file to the one before,
 * and a ladder of diamonds, where each level merges two children of the level below. What is measured is done in a
 * workspace of its own with an empty cache, as by a command on a machine that has the catalog and nothing else.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Dataset } from "../../src/dataset/dataset.js";
import { list, listingOf } from "../../src/dataset/listing.js";
import { locateVersion } from "../../src/dataset/remote-reference.js";
import { syncVersion } from "../../src/dataset/sync.js";
import { openVersionTree } from "../../src/dataset/version-tree.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { type Home, homeOf } from "../../src/home.js";
import { type Cost, costOf } from "./meter.js";

/** What is measured at some depth. */
export interface Costs {
  /** Create, add and finalize. */
  add: Cost;
  /** What a mount does before its first `ls`, and that of all folders. */
  list: Cost;
  /** All of it, as a folder of files. */
  restore: Cost;
  /** A folder with one new file. */
  sync: Cost;
}

/** A home in `folder`, whose remote is counted. */
export function meteredHome(folder: string): Home {
  return { ...homeOf({ VARVE_HOME: join(folder, "home") }), defaultRemote: `metered://${folder}/remote` };
}

/** A dataset that grows in `folder`. It begins with one version of `files` small files. */
export class History {
  readonly #files: string;
  /** For what is not measured. */
  readonly #workspace: Workspace;
  #count = 0;
  /** Id of the last version. */
  #last: string | undefined;

  private constructor(
    private readonly home: Home,
    private readonly folder: string,
    private readonly dataset: string,
  ) {
    this.#files = join(folder, "files");
    mkdirSync(this.#files, { recursive: true });
    this.#workspace = new Workspace({ home });
  }

  static async begin(home: Home, folder: string, dataset: string, files: number): Promise<History> {
    const history = new History(home, folder, dataset);
    for (let count = 0; count < files; count++) history.#newFile();
    history.#last = await history.#version(history.#workspace, [], history.#files);
    return history;
  }

  close(): Promise<void> {
    return this.#workspace.close();
  }

  /** Makes `count` versions, each of the one before and a file. */
  async lengthen(count: number): Promise<void> {
    for (let made = 0; made < count; made++) this.#last = await this.#child(this.#workspace);
  }

  /** Makes two children of the last version, which the next version merges. */
  async fork(): Promise<readonly string[]> {
    return [await this.#child(this.#workspace), await this.#child(this.#workspace)];
  }

  /** Makes one more version, of `parents` and a file. Default: the last. */
  async join(parents: readonly string[]): Promise<void> {
    this.#last = await this.#child(this.#workspace, parents);
  }

  /** Makes two more versions, of which the first is measured in all ways. @param parents Its own. Default: the last. */
  async measure(parents?: readonly string[]): Promise<Costs> {
    return {
      add: await this.#measured(async (workspace) => {
        this.#last = await this.#child(workspace, parents);
      }),
      list: await this.#measured((workspace) => this.#list(workspace)),
      restore: await this.#measured(async (workspace) => {
        await (await Dataset.get(this.dataset, { workspace })).getLocalCopy({ mode: "files" });
      }),
      sync: await this.#measured(async (workspace) => {
        this.#newFile();
        const { committed } = await syncVersion(this.#files, this.dataset, { workspace });
        this.#last = committed?.id;
      }),
    };
  }

  #measured(work: (workspace: Workspace) => Promise<void>): Promise<Cost> {
    const cacheDir = mkdtempSync(join(this.folder, "cache-"));
    return costOf(async () => {
      const workspace = new Workspace({ home: { ...this.home, cacheDir } });
      await work(workspace);
      await workspace.close();
    });
  }

  async #list(workspace: Workspace): Promise<void> {
    const { found } = await locateVersion(workspace, this.dataset);
    const cache = await workspace.cache();
    const tree = await openVersionTree(workspace, found.version);
    const entries = list(listingOf(cache, tree), "")[Symbol.asyncIterator]();
    while (!(await entries.next()).done);
  }

  #child(workspace: Workspace, parents: readonly string[] = [this.#last!]): Promise<string> {
    return this.#version(workspace, parents, this.#newFile());
  }

  async #version(workspace: Workspace, parents: readonly string[], path: string): Promise<string> {
    const draft = await Dataset.create(this.dataset, { parents, remote: this.home.defaultRemote, workspace });
    await draft.addFiles(path);
    return (await draft.finalize({ autoUpload: true })).id;
  }

  #newFile(): string {
    const path = join(this.#files, `file-${this.#count}`);
    writeFileSync(path, `content of file ${this.#count++} of ${this.dataset}\n`);
    return path;
  }
}
