/** Who a remote is: the id in its `varve.json`, made once, whoever comes first. It outlives every URL. */
import { randomBytes } from "node:crypto";
import * as z from "zod";

import type { RemoteId } from "../content/chunk.js";
import { DatasetError, isDatasetError } from "../errors.js";
import { refuseNewer } from "../format.js";
import type { Remote, RequestOptions } from "./remote.js";

export const IDENTITY_KEY = "varve.json";
/** The newest layout of a remote that this code reads and writes. */
export const REMOTE_FORMAT = 1;

const IDENTITY_MAX_BYTES = 64 * 1024;

const Identity = z.object({ format: z.int().min(1), id: z.string().regex(/^[0-9a-f]{32}$/) });

/**
 * The identity of a remote; a remote that has none is given one. One request where it has.
 *
 * @throws {DatasetError} `format-newer`, `format-damaged`; `remote-refused` when it has none and is read-only
 */
export async function remoteIdentity(remote: Remote, options: RequestOptions = {}): Promise<RemoteId> {
  return (await readIdentity(remote, options)) ?? makeIdentity(remote, options);
}

/**
 * The identity of a remote that is known to have one. A folder that is there but empty is most often a disk that is not
 * mounted: nothing may be begun in it.
 *
 * @throws {DatasetError} `remote-failed` when it has none, or not the one expected; `format-newer`, `format-damaged`
 */
export async function requireIdentity(
  remote: Remote,
  expected?: RemoteId,
  options: RequestOptions = {},
): Promise<RemoteId> {
  const id = await readIdentity(remote, options);
  if (id !== undefined && (expected === undefined || id === expected)) return id;
  const problem = id === undefined ? `there is no "${IDENTITY_KEY}"` : "another remote is there";
  const message = `Cannot use the remote ${remote.url}: ${problem}; is its disk mounted, or has it moved (varve remote set)?`;
  throw new DatasetError("remote-failed", { key: IDENTITY_KEY }, message);
}

async function readIdentity(remote: Remote, options: RequestOptions): Promise<RemoteId | undefined> {
  try {
    const bytes = await remote.readWhole(IDENTITY_KEY, { ...options, maxBytes: IDENTITY_MAX_BYTES });
    return parseIdentity(bytes, remote.url);
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

async function makeIdentity(remote: Remote, options: RequestOptions): Promise<RemoteId> {
  const id = randomBytes(16).toString("hex") as RemoteId;
  const bytes = Buffer.from(`${JSON.stringify({ format: REMOTE_FORMAT, id })}\n`);
  try {
    await remote.create(IDENTITY_KEY, bytes, options);
    return id;
  } catch (error) {
    if (!isDatasetError(error, "object-exists")) throw error;
  }
  return parseIdentity(await remote.readWhole(IDENTITY_KEY, options), remote.url);
}

function parseIdentity(bytes: Uint8Array, url: string): RemoteId {
  const what = `${url}/${IDENTITY_KEY}`;
  const json = parseJson(bytes);
  refuseNewer(json, REMOTE_FORMAT, `remote "${what}"`, what);
  const identity = Identity.safeParse(json);
  if (identity.success) return identity.data.id as RemoteId;
  const problem = z.prettifyError(identity.error).replaceAll("\n", " ");
  throw new DatasetError(
    "format-damaged",
    { what },
    `Cannot tell the identity of ${url}: "${what}" is damaged (${problem})`,
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
