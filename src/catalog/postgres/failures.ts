/**
 * What PostgreSQL and its driver report, told apart: what passes by itself and is tried again (`patiently.ts`), and what
 * becomes a failure of ours, with what to do. A violated constraint stays as it is: it is a bug of ours.
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
import { DatasetError, errnoOf, messageOf } from "../../errors.js";

/** Two transactions could not both be as if alone, and this one was undone. */
export function isCollision(error: unknown): boolean {
  return /^(40001|40P01)$/.test(errnoOf(error) ?? "");
}

/**
 * A row that a check of the same transaction has not seen was there when it wrote: another made it meanwhile. PostgreSQL
 * may say so instead of a collision.
 */
export function isDuplicate(error: unknown): boolean {
  return errnoOf(error) === "23505";
}

/** The server has no room for one more, or is starting. */
export function isBusy(error: unknown): boolean {
  return /^(53300|57P03)$/.test(errnoOf(error) ?? "");
}

/** The connection has gone, or none could be made. */
export function isLost(error: unknown): boolean {
  const code = errnoOf(error) ?? "";
  return (
    /^(08...|57P0[12]|ECONN.*|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|ENOENT)$/.test(code) ||
    (code === "" && /^Connection terminated|not queryable/.test(messageOf(error)))
  );
}

/** The driver gave up on a query; its answer may still come. */
export function isLate(error: unknown): boolean {
  return /^Query read timeout|^timeout exceeded when|due to connection timeout/.test(messageOf(error));
}

export function hasNoTls(error: unknown): boolean {
  return /does not support SSL/.test(messageOf(error));
}

type Explanation = (name: string, cause: unknown) => DatasetError;

/** SQLSTATEs, codes of Node, or messages of the driver, and what they are to us. The first that fits. */
const EXPLANATIONS: readonly (readonly [test: (error: unknown) => boolean, Explanation])[] = [
  [isLate, late("its server has not answered")],
  [byCode(/^(55P03|57014)$/), late("others have held what it waits for")],
  [isLost, failed("check that the server runs, and host and port")],
  [isBusy, failed("raise max_connections, or put a pooler in front of it")],
  [byCode(/^28/), refused("check user and password (in the URL, PGPASSWORD or ~/.pgpass), and sslmode")],
  [byText(/^SASL.*password/), refused("give a password, in the URL, PGPASSWORD or ~/.pgpass")],
  [byCode(/^3D000$/), missing("createdb makes it")],
  [byCode(/^3F000$/), missing("create schema makes it")],
  [byCode(/^42501$/), refused("the user needs the rights of docs/catalog.md")],
  [
    byCode(/^25006$/),
    refused("it is a standby, or set to be read only; give the URL of the server that takes writes"),
  ],
  [hasNoTls, refused("sslmode=disable does without")],
  [
    byCode(/CERT|SELF_SIGNED|UNABLE_TO|^ERR_TLS|^ERR_SSL/),
    refused("sslrootcert=FILE names who signs its certificate"),
  ],
  [byCode(/^53[12]00$/), full],
  [byCode(/^(22021|22P05)$/), notText],
];

/** What befell a catalog in our words; anything else as it is. */
export function explainServer(cause: unknown, name: string): unknown {
  if (cause instanceof DatasetError) return cause;
  return EXPLANATIONS.find(([fits]) => fits(cause))?.[1](name, cause) ?? cause;
}

/** A change was sent and the connection lost before its answer came. */
export function unknownOutcome(cause: unknown, name: string): DatasetError<"catalog-failed"> {
  const message = `Lost the catalog "${name}" during a change: whether it was made is not known; look before you ask again (${textOf(cause)})`;
  return new DatasetError("catalog-failed", { catalog: name }, message, { cause });
}

function failed(advice: string): Explanation {
  return (catalog, cause) => {
    const message = `Cannot reach the catalog "${catalog}": ${textOf(cause)}; ${advice}`;
    return new DatasetError("catalog-failed", { catalog }, message, { cause });
  };
}

function refused(advice: string): Explanation {
  return (catalog, cause) => {
    const message = `Cannot use the catalog "${catalog}": ${textOf(cause)}; ${advice}`;
    return new DatasetError("catalog-refused", { catalog }, message, { cause });
  };
}

function missing(advice: string): Explanation {
  return (catalog, cause) => {
    const message = `Cannot find the catalog "${catalog}": ${textOf(cause)}; ${advice}`;
    return new DatasetError("not-found", { what: `catalog "${catalog}"` }, message, { cause });
  };
}

function late(what: string): Explanation {
  return (name, cause) => {
    const message = `Gave up on the catalog "${name}": ${what} in time (${textOf(cause)})`;
    return new DatasetError("deadline", { waitedForMs: 0, what: `catalog "${name}"` }, message, { cause });
  };
}

function full(path: string, cause: unknown): DatasetError<"disk-full"> {
  const message = `Cannot write the catalog "${path}": its server has no room (${textOf(cause)})`;
  return new DatasetError("disk-full", { path }, message, { cause });
}

function notText(name: string, cause: unknown): DatasetError<"bad-input"> {
  const message = `Cannot write to the catalog "${name}": PostgreSQL takes no text with a NUL (${textOf(cause)})`;
  return new DatasetError("bad-input", { value: textOf(cause) }, message, { cause });
}

function byCode(pattern: RegExp): (error: unknown) => boolean {
  return (error) => pattern.test(errnoOf(error) ?? "");
}

function byText(pattern: RegExp): (error: unknown) => boolean {
  return (error) => pattern.test(messageOf(error));
}

/** A host of several addresses fails with one error for each, and no words of its own. */
function textOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(", ") : messageOf(error);
}
