/**
 * What is signed of a version: what it is, and nothing of where it lies, so that a repack keeps the signature. The text that
 * was signed is kept as it was, so nobody has to write it again to the letter. Pure.
 */
import * as z from "zod";
import { type PublicKey, type SigningKey, isSignedBy } from "./keys.js";

const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const statementSchema = z.object({
  format: z.literal(1),
  id: hex32,
  dataset: hex32,
  project: z.string(),
  name: z.string(),
  label: z.string(),
  /** Ids, in order. */
  parents: z.array(hex32),
  digest: hex64,
  contentDigest: hex64,
  /** `outlineOf` its root. */
  outline: hex64,
  files: count,
  bytes: count,
  createdBy: z.string(),
  createdAtMs: count,
  completedAtMs: count,
});

export type Statement = z.infer<typeof statementSchema>;

const signatureSchema = z.object({
  format: z.literal(1),
  /** 32 bytes, base64. */
  key: z.string(),
  /** JSON, to the letter as it was signed. */
  statement: z.string(),
  /** 64 bytes, base64, over `SIGNED_AS` and the statement. */
  signature: z.string(),
});

export type Signature = z.infer<typeof signatureSchema>;

/** Stands in front of what is signed, so that a signature made for something else never counts here. */
const SIGNED_AS = "varve version\n";

export function signStatement(key: SigningKey, statement: Statement): Signature {
  const text = JSON.stringify(statement);
  const signature = Buffer.from(key.sign(signedBytes(text))).toString("base64");
  return { format: 1, key: key.publicKey.base64, statement: text, signature };
}

/** One of `annexes`; undefined for what is damaged or was written by a newer varve. */
export function parseSignature(json: string): Signature | undefined {
  return parsed(json, signatureSchema);
}

/** What was signed, where one of `keys` signed it. */
export function statementBy(keys: readonly PublicKey[], signature: Signature): Statement | undefined {
  const key = keys.find(({ base64 }) => base64 === signature.key);
  const bytes = Buffer.from(signature.signature, "base64");
  if (!key || !isSignedBy(key, signedBytes(signature.statement), bytes)) return undefined;
  return parsed(signature.statement, statementSchema);
}

/** The names of the fields in which two differ, but for the outline, which only the root tells. */
export function differences(signed: Statement, found: Omit<Statement, "outline">): string[] {
  return Object.entries(found)
    .filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(signed[field as keyof Statement]))
    .map(([field]) => field);
}

function signedBytes(statement: string): Buffer {
  return Buffer.from(SIGNED_AS + statement, "utf8");
}

function parsed<Schema extends z.ZodType>(json: string, schema: Schema): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
