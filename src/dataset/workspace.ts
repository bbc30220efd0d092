/**
 * What every operation on datasets needs, opened once: the user's folders, the catalog, remotes by their identity, and
 * the cache. Nothing is opened before it is asked for, so that `varve --help` and errors cost nothing.
 */
import { join } from "node:path";
import { userInfo } from "node:os";
import { type Cache, openCache } from "../cache/cache.js";
import { type Catalog, openCatalog } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError } from "../errors.js";
import { type Home, ensureDir, homeOf } from "../home.js";
import { remoteIdentity, requireIdentity } from "../remote/identity.js";
import { normalizeRemoteUrl, openRemote } from "../remote/open.js";
import type { Remote } from "../remote/remote.js";
import { withRetry } from "../remote/with-retry.js";
import { Stamps } from "./stamps.js";

export interface WorkspaceOptions {
  /** Default: the environment (`VARVE_HOME` and friends), else the XDG folders. */
  home?: Partial<Home> | undefined;
  /** Told what a person should know and no caller can act on. Default: standard error. */
  notice?: ((message: string) => void) | undefined;
  /** Most the cache may take of memory, in bytes. Default: as `openCache`. */
  cacheMemoryBytes?: number | undefined;
}

export interface OpenedRemote {
  id: RemoteId;
  remote: Remote;
}

export class Workspace {
  readonly home: Home;
  readonly notice: (message: string) => void;
  /** Who creates versions here, for records and drafts. */
  readonly user = userInfo().username;

  readonly #remotesByUrl = new Map<string, Promise<OpenedRemote>>();
  #catalog: Promise<Catalog> | undefined;
  #cache: Promise<Cache> | undefined;
  #stamps: Stamps | undefined;

  constructor(private readonly options: WorkspaceOptions = {}) {
    this.home = { ...homeOf(process.env), ...options.home };
    this.notice = options.notice ?? ((message) => process.stderr.write(`${message}\n`));
  }

  catalog(): Promise<Catalog> {
    return (this.#catalog ??= this.#openCatalog());
  }

  cache(): Promise<Cache> {
    return (this.#cache ??= openCache({
      directory: this.home.cacheDir,
      maxBytes: this.home.cacheBytes,
      memoryBytes: this.options.cacheMemoryBytes,
      remoteOf: (id) => this.remote(id),
      onWarning: (event, { directory, problem }) =>
        this.notice(`Warning: ${event}: ${String(problem)} ("${String(directory)}")`),
    }));
  }

  stamps(): Stamps {
    return (this.#stamps ??= new Stamps(join(ensureDir(this.home.dataDir), "stamps.db")));
  }

  /** Opens a remote by URL and enters it in the catalog under its identity. */
  openRemote(url: string): Promise<OpenedRemote> {
    const normal = normalizeRemoteUrl(url);
    const known = this.#remotesByUrl.get(normal);
    if (known) return known;
    const opened = this.#connect(normal);
    this.#remotesByUrl.set(normal, opened);
    // Not remembered: a remote out of reach now may be back a second later.
    opened.catch(() => this.#remotesByUrl.delete(normal));
    return opened;
  }

  /** The remote of an identity. @throws {DatasetError} `not-found` when this catalog does not know its URL */
  async remote(id: RemoteId): Promise<Remote> {
    const catalog = await this.catalog();
    const row = await catalog.remoteById(id);
    if (!row) {
      const message = `Cannot reach the remote ${id}: this catalog knows no URL for it`;
      throw new DatasetError("not-found", { what: `remote ${id}` }, message);
    }
    const opened = await this.openRemote(row.url);
    if (opened.id !== id) await requireIdentity(opened.remote, id);
    return opened.remote;
  }

  /** Where a new dataset goes when nobody says: a folder beside the catalog. */
  async defaultRemote(): Promise<OpenedRemote> {
    const url = normalizeRemoteUrl(this.home.defaultRemote);
    const known = (await (await this.catalog()).listRemotes()).some((row) => row.url === url);
    if (!known && process.env["VARVE_REMOTE"] === undefined)
      this.notice(`No remote is set: data goes to ${url} (--remote or VARVE_REMOTE choose another place)`);
    return this.openRemote(url);
  }

  /** Folder of the drafts' staging files. */
  draftFile(versionId: string): string {
    return join(ensureDir(this.home.draftsDir), `${versionId}.db`);
  }

  async close(): Promise<void> {
    this.#stamps?.close();
    await this.#cache?.then((cache) => cache.close(), ignore);
    for (const opened of this.#remotesByUrl.values())
      await opened.then(({ remote }) => remote.close(), ignore);
    await this.#catalog?.then((catalog) => catalog.close(), ignore);
  }

  async #openCatalog(): Promise<Catalog> {
    if (!/^[a-z]+:\/\//.test(this.home.catalogPath)) ensureDir(join(this.home.catalogPath, ".."));
    return openCatalog(this.home.catalogPath);
  }

  async #connect(url: string): Promise<OpenedRemote> {
    const remote = withRetry(await openRemote(url));
    const catalog = await this.catalog();
    const isKnown = (await catalog.listRemotes()).some((row) => row.url === url);
    const id = await (isKnown ? requireIdentity(remote) : remoteIdentity(remote));
    await catalog.ensureRemote({ id, url });
    return { id, remote };
  }
}

/** What could not be opened has told its caller already. */
function ignore(): void {
  // Nothing is left to close.
}
