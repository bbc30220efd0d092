/**
 * The URL of a catalog on PostgreSQL, as libpq reads it: what of it may be shown, and what the driver is told. The
 * password is in the URL, in `PGPASSWORD` or in `~/.pgpass`.
 * Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
import { DatasetError } from "../../errors.js";

export interface ServerUrl {
  /** For the driver, with all that it says. */
  connectionString: string;
  /** For people: no password. */
  shown: string;
  /** `sslmode=prefer`: a server that has no TLS is spoken to without. */
  mayDoWithoutTls: boolean;
  /** Longest wait for a connection, in ms. */
  connectDeadlineMs: number;
}

const CONNECT_DEADLINE_MS = 10_000;
const SECRETS = ["password", "sslpassword"];

/** @throws {DatasetError} `bad-input` for what is no such URL; `unsupported` for that of another database */
export function parseServerUrl(text: string): ServerUrl {
  const url = urlOf(text);
  const settings = url.searchParams;
  const sslmode =
    settings.get("sslmode") ?? (isOfThisMachine(settings.get("host") ?? url.hostname) ? "disable" : "prefer");
  return {
    connectionString: withSettings(url, { sslmode, uselibpqcompat: "true" }).href,
    shown: shownUrl(text),
    mayDoWithoutTls: sslmode === "prefer" || sslmode === "allow",
    connectDeadlineMs: Number(settings.get("connect_timeout")) * 1_000 || CONNECT_DEADLINE_MS,
  };
}

/** The same server, spoken to without TLS. */
export function withoutTls(server: ServerUrl): ServerUrl {
  const { href } = withSettings(new URL(server.connectionString), { sslmode: "disable" });
  return { ...server, connectionString: href, mayDoWithoutTls: false };
}

/** A URL for messages: what may be a secret is left out, all of it where it cannot be read. A path stays as it is. */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return text.replace(/^([a-z][a-z0-9+.-]*:\/\/).*$/is, "$1…");
  const url = new URL(text);
  url.password = "";
  for (const secret of SECRETS) url.searchParams.delete(secret);
  return url.href;
}

function urlOf(text: string): URL {
  const scheme = text.slice(0, text.indexOf("://"));
  if (!/^postgres(ql)?$/i.test(scheme)) throw otherDatabase(scheme);
  if (URL.canParse(text)) return new URL(text);
  const message = `Cannot use the catalog "${shownUrl(text)}": it is no URL like postgres://user@host:5432/database; signs like / @ : # in a password are written %2F %40 %3A %23`;
  throw new DatasetError("bad-input", { value: shownUrl(text) }, message);
}

/** Loopback, or the folder of a socket. */
function isOfThisMachine(host: string): boolean {
  return /^(|localhost|127\..*|\[?::1\]?|\/.*|%2f.*)$/i.test(host);
}

function withSettings(url: URL, settings: Readonly<Record<string, string>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(settings)) changed.searchParams.set(name, value);
  return changed;
}

function otherDatabase(scheme: string): DatasetError<"unsupported"> {
  const what = `${scheme}:// catalogs`;
  const message = `Cannot open the catalog: there are no ${what}; give the path of a file, or postgres://user@host/database`;
  return new DatasetError("unsupported", { what }, message);
}
