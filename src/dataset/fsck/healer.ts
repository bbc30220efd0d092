/** Puts back what is missing or damaged: always under its own name, only with the bytes that name says. */
import type { Sha256 } from "../../content/chunk.js";
import { sha256 } from "../../content/hash.js";
import { isDatasetError, messageOf } from "../../errors.js";
import { type FoundVersion, nameOfVersion } from "../history.js";
import { createRecord } from "../record.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import type { FsckOptions, Problem } from "./fsck.js";
import { PackRebuilder } from "./rebuild-pack.js";
import { recordOf } from "./record-of.js";

export class Healer {
  constructor(
    private readonly workspace: Workspace,
    private readonly opened: OpenedRemote,
    private readonly versions: readonly FoundVersion[],
    private readonly options: FsckOptions,
  ) {}

  /** Notes with each problem what became of it. What lies in another remote is healed where that one is looked at. */
  async heal(all: readonly Problem[]): Promise<void> {
    const problems = all.filter(({ remote }) => remote === this.opened.remote.url);
    for (const problem of problems) await this.#trying([problem], () => this.#healOne(problem));
    await this.#healPacks(problems.filter(({ what }) => what === "pack" || what === "chunk"));
  }

  async #healOne({ what, state, key, versions }: Problem): Promise<string | undefined> {
    if (what === "catalog") return state === "missing" && this.#find(versions[0]) ? "its record" : undefined;
    if (what === "record") return this.#putRecord(versions[0]);
    if (what === "root" || what === "range" || what === "segment" || what === "attachment")
      return this.#putFromCache(key);
    return undefined;
  }

  async #putRecord(name: string | undefined): Promise<string | undefined> {
    const found = this.#find(name);
    if (!found) return undefined; // Of a damaged one nobody can say which version it was.
    await createRecord(this.opened.remote, await recordOf(this.workspace, found));
    return "the catalog";
  }

  #find(name: string | undefined): FoundVersion | undefined {
    return this.versions.find((one) => nameOfVersion(one) === name);
  }

  /** What is named by its hash, or of a root by the catalog. */
  async #putFromCache(key: string): Promise<string | undefined> {
    const root = this.versions.find(({ version }) => version.rootKey === key)?.version.rootHash;
    const hash = (root ?? key.slice(key.lastIndexOf("/") + 1)) as Sha256;
    const bytes = (await this.workspace.cache()).local.get(hash);
    if (!bytes || sha256(bytes) !== hash) return undefined;
    await this.opened.remote.put(key, bytes, { sha256: hash });
    return "the cache";
  }

  async #healPacks(problems: readonly Problem[]): Promise<void> {
    const keys = new Set(problems.map(({ key }) => key));
    if (keys.size === 0) return;
    this.options.onStep?.("Looking for what the packs held");
    const rebuilder = await PackRebuilder.of(this.workspace, this.opened, this.versions, keys);
    for (const key of keys) {
      const concerned = problems.filter((problem) => problem.key === key);
      await this.#trying(concerned, () => rebuilder.rebuild(key, this.options.signal));
    }
  }

  async #trying(problems: readonly Problem[], work: () => Promise<string | undefined>): Promise<void> {
    try {
      const from = await work();
      for (const problem of problems) if (from !== undefined) problem.healedFrom = from;
    } catch (error) {
      if (!isDatasetError(error) || isDatasetError(error, "cancelled")) throw error;
      for (const problem of problems) problem.unhealed = messageOf(error);
    }
  }
}
