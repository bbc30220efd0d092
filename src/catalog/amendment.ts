/**
 * An amendment: a later change to a finished version, or to a dataset, as a small object beside the data tells it. Here is
 * its format; `apply-change.ts` says what each kind of change does to a catalog, `dataset/amend.ts` writes and reads them.
 */
import * as z from "zod";

import { isDatasetName } from "./dataset-name.js";
import { isLabel } from "./label.js";

const AMENDMENT_FORMAT = 1;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const tags = z.array(z.string().min(1));

const metadata = z.object({
  name: z.string(),
  type: z.string(),
  form: z.string(),
  /** Base64 of a small value; empty where the bytes lie elsewhere. */
  value: z.base64(),
  /** JSON that says where. */
  attachment: z.string().nullable(),
});

/** A new kind needs a line here, and one in `apply-change.ts`. `version` is the id of the version it is about. */
const changeSchema = z.discriminatedUnion("kind", [
  /** Of a version, or without one of the dataset. */
  z.object({ kind: z.literal("tag"), version: hex32.optional(), add: tags, remove: tags }),
  z.object({ kind: z.literal("publish"), version: hex32 }),
  z.object({ kind: z.literal("describe"), version: hex32, description: z.string() }),
  /** Of a version, or without one of the dataset. */
  z.object({ kind: z.literal("archive"), version: hex32.optional(), archived: z.boolean() }),
  z
    .object({
      kind: z.literal("rename"),
      version: z.undefined().optional(),
      project: z.string(),
      name: z.string(),
    })
    .refine(isDatasetName),
  /** Its label is never given again. */
  z.object({ kind: z.literal("delete"), version: hex32, label: z.string().refine(isLabel) }),
  z.object({
    kind: z.literal("metadata"),
    version: hex32,
    set: z.array(metadata),
    remove: z.array(z.string()),
  }),
  /** One more value of an annex, after those it has. */
  z.object({ kind: z.literal("annex"), version: hex32, annex: z.string().min(1).max(100), add: z.string() }),
  /** Its tree, as another root names it: after a repack. */
  z.object({
    kind: z.literal("root"),
    version: hex32,
    root: z.object({
      key: z.string(),
      hash: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.number().int().nonnegative(),
    }),
  }),
  /** Nothing: a collector takes the number of an amendment whose writer has stopped in the middle. */
  z.object({ kind: z.literal("void"), version: z.undefined().optional() }),
]);

/** What an amendment changes. */
export type Change = z.infer<typeof changeSchema>;

const amendmentSchema = z.object({
  format: z.literal(AMENDMENT_FORMAT),
  id: hex32,
  /** Id of the dataset. */
  dataset: hex32,
  /** Who made it. */
  by: z.string(),
  stampMs: z.number().int().nonnegative(),
  change: changeSchema,
});

export interface Amendment {
  /** 32 hex characters. The same change told to several remotes has one id. */
  id: string;
  dataset: string;
  by: string;
  /**
   * Unix ms, but at least one more than any stamp its writer had seen. Of two amendments that set one field, the greater
   * stamp wins, and of equal stamps the greater id: whoever knows the same amendments agrees, in whatever order they came.
   */
  stampMs: number;
  change: Change;
}

/** The stored form of an amendment. */
export function encodeAmendment(amendment: Amendment): string {
  return `${JSON.stringify({ format: AMENDMENT_FORMAT, ...amendment }, null, 1)}\n`;
}

/** Reads a stored amendment; undefined for one that this varve does not understand: it is damaged, or a newer one wrote it. */
export function parseAmendment(content: string): Amendment | undefined {
  try {
    return amendmentSchema.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined;
  }
}
