/**
 * A bundle: what was made offline, whole, in one folder. It is a remote like any other, with packs, ranges, roots, names
 * and records, and beside them `bundle.json`, which says of each version what importing it needs to know and no
 * record tells. `bundle-zip.ts` packs it, `import-bundle.ts` brings it in.
 */
import * as z from "zod";
import { DatasetError, isDatasetError } from "../errors.js";
import { refuseNewer } from "../format.js";
import type { Remote } from "../remote/remote.js";
import { damaged, parseJson } from "./stored-json.js";

export const BUNDLE_KEY = "bundle.json";
const BUNDLE_FORMAT = 1;
const BUNDLE_MAX_BYTES = 64 * 1024 * 1024;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const hex64 = z.string().regex(/^[0-9a-f]{64}$/);

const versionSchema = z.object({
  id: hex32,
  /** Whether nobody asked for the label, so that it may become another. */
  labelIsAutomatic: z.boolean(),
  /** In order. */
  parents: z.array(z.object({ id: hex32, reference: z.string(), digest: hex64 })),
});

const bundleSchema = z.object({
  format: z.literal(BUNDLE_FORMAT),
  /** In the order in which they were finished, so parents before children; one without a record was never finished. */
  versions: z.array(versionSchema),
});

export type BundledVersion = z.infer<typeof versionSchema>;

/** @throws {DatasetError} `not-found` where there is no bundle; `format-newer`, `format-damaged` */
export async function readBundle(remote: Remote): Promise<BundledVersion[]> {
  const bytes = await readWhole(remote);
  if (bytes) return parseBundle(bytes, `${remote.url}/${BUNDLE_KEY}`);
  const message = `Cannot find a bundle in ${remote.url}: it has no "${BUNDLE_KEY}", so no version in it was finished (varve finalize --offline), or it is something else`;
  throw new DatasetError("not-found", { what: remote.url }, message);
}

/** Notes a version that is about to be finished. Twice is the same as once. */
export async function noteVersion(remote: Remote, version: BundledVersion): Promise<void> {
  const bytes = await readWhole(remote);
  const known = bytes ? parseBundle(bytes, `${remote.url}/${BUNDLE_KEY}`) : [];
  const versions = [...known.filter(({ id }) => id !== version.id), version];
  await remote.put(
    BUNDLE_KEY,
    Buffer.from(`${JSON.stringify({ format: BUNDLE_FORMAT, versions }, null, 1)}\n`),
  );
}

async function readWhole(remote: Remote): Promise<Uint8Array | undefined> {
  try {
    return await remote.readWhole(BUNDLE_KEY, { maxBytes: BUNDLE_MAX_BYTES });
  } catch (error) {
    if (isDatasetError(error, "object-missing")) return undefined;
    throw error;
  }
}

function parseBundle(bytes: Uint8Array, what: string): BundledVersion[] {
  const json = parseJson(bytes, what);
  refuseNewer(json, BUNDLE_FORMAT, `bundle "${what}"`, what);
  const parsed = bundleSchema.safeParse(json);
  if (parsed.success) return parsed.data.versions;
  throw damaged(what, parsed.error);
}
