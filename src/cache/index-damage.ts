/** Telling a damaged index from other trouble with it. */
import { errnoOf } from "../errors.js";

/** Whether SQLite says that its file is no longer a database it can read, or what it holds cannot be. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(errnoOf(error) ?? "");
}

/** An index that SQLite can read but no varve wrote so; treated as one that it cannot. */
export function damagedIndex(indexPath: string, problem: string): Error {
  const error = new Error(`Cannot use the cache index "${indexPath}": ${problem}`);
  return Object.assign(error, { code: "SQLITE_CORRUPT" });
}
