/** Secrets do not come as arguments: every user of a machine can read the command lines of all others. */
import { DatasetError } from "../errors.js";

/** Gives back a place of a catalog. @throws {DatasetError} `bad-input` for a URL with a password in it, which is not repeated */
export function withoutPassword(place: string): string {
  const url = URL.canParse(place) ? new URL(place) : undefined;
  const isSecret = url?.password || url?.searchParams.has("password") || url?.searchParams.has("sslpassword");
  if (!isSecret) return place;
  const message =
    "Cannot take a password from the command line, which everybody on this machine can read: set VARVE_CATALOG to the URL, or leave the password to PGPASSWORD or ~/.pgpass";
  throw new DatasetError("bad-input", { value: "catalog" }, message);
}
