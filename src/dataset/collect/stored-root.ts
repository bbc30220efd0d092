/** Where the root of a tree lies, as leases say it. */
import * as z from "zod";
import type { VersionRow } from "../../catalog/catalog.js";
import type { RemoteId, Sha256 } from "../../content/chunk.js";

export const storedRootSchema = z.object({
  remote: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .transform((id) => id as RemoteId),
  key: z.string(),
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .transform((hash) => hash as Sha256),
  bytes: z.number().int().nonnegative(),
});

export type StoredRoot = z.infer<typeof storedRootSchema>;

/** The root of a finished version; nothing of a draft. */
export function storedRootOf({ remoteId, rootKey, rootHash, rootBytes }: VersionRow): StoredRoot[] {
  if (rootKey === null || rootHash === null || rootBytes === null) return [];
  return [{ remote: remoteId as RemoteId, key: rootKey, hash: rootHash as Sha256, bytes: rootBytes }];
}
