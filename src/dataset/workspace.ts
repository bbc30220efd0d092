/**
 * What every operation on datasets needs, opened once: the user's folders, the catalog, remotes by their identity, and
 * the cache. Nothing is opened, nor the code for it loaded, before it is asked for, so that `varve --help` and errors cost nothing.
 */
import { isAbsolute, join } from "node:path";
import { userInfo } from "node:os";
import type { Cache } from "../cache/cache.js";
import type { OnCacheFault } from "../cache/disk.js";
import { Housekeeping } from "../cache/housekeeping.js";
import type { Catalog, VersionRow } from "../catalog/catalog.js";
import type { RemoteId } from "../content/chunk.js";
import { DatasetError, messageOf } from "../errors.js";
import { type Home, ensureDir, hasCatalog, homeOf } from "../home.js";
import { isRemoteName } from "../remote/name.js";
import { type Links, openLinks } from "../remote/links/links.js";
import type { Remote } from "../remote/remote.js";
import { withRetry } from "../remote/with-retry.js";
import { isBundleUrl, isOfflineBy, sessionHome } from "./offline-home.js";
import { RecentRemotes } from "./recent-remotes.js";
import { Stamps } from "./stamps.js";

export interface WorkspaceOptions {
  /** Default: the environment (`VARVE_HOME` and friends), else the XDG folders. */
  home?: Partial<Home> | undefined;
  /** Told what a person should know and no caller can act on. Default: standard error. */
  notice?: ((message: string) => void) | undefined;
  /** No remote and no server is asked: what is not on this machine fails with `offline`. Default: `VARVE_OFFLINE`. */
  offline?: boolean | undefined;
  /** Most the cache may take of memory, in bytes. Default: as `openCache`. */
  cacheMemoryBytes?: number | undefined;
  /** How long a read of the cache waits for a remote, in ms. Default: as `openCache`. */
  readDeadlineMs?: number | undefined;
  /** Told of what the cache has mended by itself. */
  onCacheFault?: OnCacheFault | undefined;
  /** Whether such a read waits as long for a remote that is out of reach. Default false. */
  outlastsOutages?: boolean | undefined;
}

export interface OpenedRemote {
  id: RemoteId;
  remote: Remote;
}

const IN_MEMORY = ":memory:";

/** A user's folders, catalog, remotes and cache, opened as they are needed. A program that needs no other has one by itself. */
export class Workspace {
  /** Where the user's folders are. */
  readonly home: Home;
  /** Told what a person should know and no caller can act on. */
  readonly notice: (message: string) => void;
  /** Who creates versions here, for records and drafts. */
  readonly user = userInfo().username;

  readonly #remotesByUrl = new Map<string, Promise<OpenedRemote>>();
  readonly #recentRemotes = new RecentRemotes((id) => this.remote(id));
  readonly #readers = new Map<string, Workspace>();
  #session: Workspace | undefined;
  #catalog: Promise<Catalog> | undefined;
  #cache: Promise<Cache> | undefined;
  #links: Links | undefined;
  #housekeeping: Housekeeping | undefined;
  #stamps: Stamps | undefined;

  /** @param host Of a reader: the workspace whose cache it uses. */
  constructor(
    private readonly options: WorkspaceOptions = {},
    private readonly host?: Workspace,
  ) {
    this.home = { ...homeOf(process.env), ...options.home };
    this.notice = options.notice ?? ((message) => process.stderr.write(`${message}\n`));
  }

  /**
   * A workspace to read what a remote tells of itself: its catalog is empty, in memory, and ends with it, so that the
   * user's knows nothing of what is read. Closed with this one.
   */
  readerOf(url: string): Workspace {
    const known = this.#readers.get(url);
    if (known) return known;
    const reader = new Workspace(this.options, this);
    this.#readers.set(url, reader);
    return reader;
  }

  /** Whether only what is on this machine may be used. */
  get isOffline(): boolean {
    return this.options.offline ?? isOfflineBy(process.env);
  }

  /**
   * The workspace that what is made offline goes to: its catalog and drafts are apart, and its only remotes are bundles.
   * Closed with this one.
   */
  get offlineSession(): Workspace {
    if (this.home.draftsDir === sessionHome(this.home).draftsDir) return this;
    const home = sessionHome(this.home);
    return (this.#session ??= new Workspace({ ...this.options, notice: this.notice, home, offline: true }));
  }

  /** The catalog, made where there is none. @throws {DatasetError} What `openCatalog` throws */
  catalog(): Promise<Catalog> {
    return (this.#catalog ??= this.#openCatalog());
  }

  /**
   * The catalog that a finished version is from: the user's, or that of a reader of a remote. While a bundle is imported,
   * both know its id.
   *
   * @throws {DatasetError} `not-found`
   */
  async catalogOf({ id, rootHash }: Pick<VersionRow, "id" | "rootHash">): Promise<Catalog> {
    const workspaces = [this, ...this.#readers.values(), ...(this.#session ? [this.#session] : [])];
    for (const workspace of workspaces) {
      const catalog = await workspace.catalog();
      if ((await catalog.versionById(id))?.rootHash === rootHash) return catalog;
    }
    const what = `version "${id}"`;
    throw new DatasetError(
      "not-found",
      { what },
      `Cannot find the ${what}: no catalog that is open knows it`,
    );
  }

  /** Verified blocks on the local disk, and the way to get others. */
  cache(): Promise<Cache> {
    if (this.host) return this.host.cache();
    return (this.#cache ??= this.#openCache());
  }

  /** External files. */
  links(): Links {
    if (this.host) return this.host.links();
    return (this.#links ??= openLinks());
  }

  /** What looks after the cache. @throws {DatasetError} `bad-input` when the folder is another user's; what the system throws */
  housekeeping(): Housekeeping {
    if (this.host) return this.host.housekeeping();
    const { cacheDir } = this.home;
    return (this.#housekeeping ??= new Housekeeping(cacheDir, (cause) =>
      this.#warnOfCache("damaged cache index moved aside", cacheDir, messageOf(cause)),
    ));
  }

  /** What this machine remembers of local files, to tell unchanged ones without reading them. */
  stamps(): Stamps {
    return (this.#stamps ??= new Stamps(join(ensureDir(this.home.dataDir), "stamps.db")));
  }

  /**
   * Opens a remote by its name, URL or path and enters it in the catalog under its identity.
   *
   * @param options.mustExist Default false: a place that is no remote yet becomes one.
   */
  async openRemote(place: string, { mustExist = false } = {}): Promise<OpenedRemote> {
    const url = await this.urlOf(place);
    const known = this.#remotesByUrl.get(url);
    if (known) return known;
    const opened = this.#connect(url, mustExist);
    this.#remotesByUrl.set(url, opened);
    // Not remembered: a remote out of reach now may be back a second later.
    opened.catch(() => this.#remotesByUrl.delete(url));
    return opened;
  }

  /** The canonical URL of a remote given by its name, a URL or a path. @throws {DatasetError} `not-found`, `bad-input` */
  async urlOf(place: string): Promise<string> {
    if (!isRemoteName(place)) return (await import("../remote/open.js")).normalizeRemoteUrl(place);
    const row = this.#mayAsk ? await (await this.catalog()).remoteByName(place) : undefined;
    if (row) return row.url;
    const message = `Cannot find a remote named "${place}": varve remote list shows those there are; a folder is given as an absolute path`;
    throw new DatasetError("not-found", { what: `remote "${place}"` }, message);
  }

  /** The remote of an identity. @throws {DatasetError} `not-found` when this catalog does not know its URL */
  async remote(id: RemoteId): Promise<Remote> {
    for (const reader of this.#readers.values()) if (await reader.knownUrl(id)) return reader.remote(id);
    const session = this.isOffline ? this.offlineSession : this;
    if (session !== this && (await session.knownUrl(id))) return session.remote(id);
    const url = await this.knownUrl(id);
    if (url === undefined) {
      const message = `Cannot reach the remote ${id}: this catalog knows no URL for it; varve remote add NAME URL tells where it is`;
      throw new DatasetError("not-found", { what: `remote ${id}` }, message);
    }
    const opened = await this.openRemote(url);
    if (opened.id !== id) await (await import("../remote/identity.js")).requireIdentity(opened.remote, id);
    return opened.remote;
  }

  /** Where the catalog, if there is one, knows a remote to lie. */
  async knownUrl(id: string): Promise<string | undefined> {
    return this.#mayAsk ? (await (await this.catalog()).remoteById(id))?.url : undefined;
  }

  /** Where a new dataset goes when nobody says: a folder beside the catalog. */
  async defaultRemote(): Promise<OpenedRemote> {
    const url = await this.urlOf(this.home.defaultRemote);
    const known = (await (await this.catalog()).listRemotes()).some((row) => row.url === url);
    if (!known && process.env["VARVE_REMOTE"] === undefined)
      this.notice(`No remote is set: data goes to ${url} (--remote or VARVE_REMOTE choose another place)`);
    return this.openRemote(url);
  }

  /** Folder of the drafts' staging files. */
  draftFile(versionId: string): string {
    return join(ensureDir(this.home.draftsDir), `${versionId}.db`);
  }

  /** Lets go of everything; nothing can be asked of it afterwards. */
  async close(): Promise<void> {
    this.#stamps?.close();
    this.#housekeeping?.close();
    await this.#cache?.then((cache) => cache.close(), ignore);
    for (const reader of this.#readers.values()) await reader.close();
    await this.#session?.close();
    await this.#links?.close();
    for (const opened of this.#remotesByUrl.values())
      await opened.then(({ remote }) => remote.close(), ignore);
    await this.#catalog?.then((catalog) => catalog.close(), ignore);
  }

  /** Whether a question is worth a catalog: none is made to be asked. */
  get #mayAsk(): boolean {
    return this.#catalog !== undefined || this.host !== undefined || hasCatalog(this.home);
  }

  #warnOfCache(event: string, directory: unknown, problem: unknown): void {
    this.notice(`Warning: ${event}: ${String(problem)} ("${String(directory)}")`);
  }

  async #openCache(): Promise<Cache> {
    const { openCache } = await import("../cache/cache.js");
    return openCache({
      directory: this.home.cacheDir,
      maxBytes: this.home.cacheBytes,
      memoryBytes: this.options.cacheMemoryBytes,
      ...(this.options.readDeadlineMs !== undefined && { deadlineMs: this.options.readDeadlineMs }),
      outlastsOutages: this.options.outlastsOutages,
      onFault: this.options.onCacheFault,
      remoteOf: (id) => this.#recentRemotes.get(id),
      links: this.isOffline ? { read: ({ url }) => Promise.reject(notFetched(url)) } : this.links(),
      onWarning: (event, { directory, problem }) => this.#warnOfCache(event, directory, problem),
    });
  }

  async #openCatalog(): Promise<Catalog> {
    const { openCatalog } = await import("../catalog/catalog.js");
    if (this.host) return openCatalog(IN_MEMORY);
    if (this.isOffline && !isAbsolute(this.home.catalogPath)) return openCatalog(IN_MEMORY); // A server is not asked.
    if (!/^[a-z]+:\/\//.test(this.home.catalogPath)) ensureDir(join(this.home.catalogPath, ".."));
    return openCatalog(this.home.catalogPath);
  }

  async #connect(url: string, mustExist: boolean): Promise<OpenedRemote> {
    if (this.isOffline && !isBundleUrl(this.home, url)) throw notFetched(url);
    const { openRemote } = await import("../remote/open.js");
    const { remoteIdentity, requireIdentity } = await import("../remote/identity.js");
    const remote = withRetry(await openRemote(url));
    const catalog = await this.catalog();
    const isKnown = (await catalog.listRemotes()).some((row) => row.url === url);
    const id = await (isKnown || mustExist || this.host ? requireIdentity(remote) : remoteIdentity(remote));
    await catalog.ensureRemote({ id, url });
    return { id, remote };
  }
}

export interface WithWorkspace {
  /** Where catalog, cache and remotes are. Default: one for the process, as the environment says. */
  workspace?: Workspace | undefined;
}

const shared = new Map<boolean, Workspace>();
let sharedIsOffline: boolean | undefined;

/** The workspace of the process, for calls that name none. */
export function defaultWorkspace(): Workspace {
  const offline = sharedIsOffline ?? isOfflineBy(process.env);
  const workspace = shared.get(offline) ?? new Workspace({ offline });
  shared.set(offline, workspace);
  return workspace;
}

/** Whether calls that name no workspace are offline from now on. Default: `VARVE_OFFLINE`. */
export function setDefaultOffline(offline: boolean): void {
  sharedIsOffline = offline;
}

function notFetched(url: string): DatasetError<"offline"> {
  const message = `Cannot fetch from ${url}: offline, only what is in the cache can be read`;
  return new DatasetError("offline", { what: url }, message);
}

/** What could not be opened has told its caller already. */
function ignore(): void {
  // Nothing is left to close.
}
