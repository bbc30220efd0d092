/**
 * What belongs to a version beside its tree, as its record tells it and as the catalog keeps it: metadata by name, and
 * annexes by kind (metadata of files, reports). Pure translation; the digests of a version cover none of it.
 */
import * as z from "zod";
import type { Belongings, Metadata } from "../catalog/catalog.js";
import { attachmentSchema } from "./attachments.js";
import { METADATA_FORMS } from "./metadata-value.js";
import { parseAs } from "./stored-json.js";

const metadataSchema = z.object({
  name: z.string(),
  type: z.string(),
  form: z.enum(METADATA_FORMS),
  /** Base64 of a small value. */
  value: z.base64().optional(),
  /** Where the bytes of a large one lie. */
  attachment: attachmentSchema.optional(),
});

/** The fields of a version record for this. Absent where there is nothing to say, and in records of earlier releases. */
export const belongingsSchema = z.object({
  metadata: z.array(metadataSchema).optional(),
  /** By kind, in order. Kinds that this varve does not know are passed on. */
  annexes: z.record(z.string(), z.array(z.json())).optional(),
});

export type RecordedBelongings = z.infer<typeof belongingsSchema>;
export type RecordedMetadata = z.infer<typeof metadataSchema>;

/** As a record says it. */
export function recordedBelongings({ metadata, annexes }: Belongings): RecordedBelongings {
  const kinds = Object.entries(annexes).filter(([, values]) => values.length > 0);
  const parsed = kinds.map(([kind, values]) => [
    kind,
    values.map((value) => z.json().parse(JSON.parse(value))),
  ]);
  return {
    ...(metadata.length > 0 && { metadata: metadata.map(recordedMetadata) }),
    ...(kinds.length > 0 && { annexes: Object.fromEntries(parsed) as RecordedBelongings["annexes"] }),
  };
}

/** As the catalog keeps it. */
export function belongingsOf({ metadata = [], annexes = {} }: RecordedBelongings): Belongings {
  const texts = Object.entries(annexes).map(([kind, values]) => [
    kind,
    values.map((value) => JSON.stringify(value)),
  ]);
  return {
    metadata: metadata.map(metadataOf),
    annexes: Object.fromEntries(texts) as Belongings["annexes"],
  };
}

export function recordedMetadata({ name, type, form, value, attachment }: Metadata): RecordedMetadata {
  const lies =
    attachment === null
      ? { value: Buffer.from(value).toString("base64") }
      : { attachment: parseAs(attachmentSchema, attachment, "attachment of a metadata value") };
  return {
    name,
    type,
    form: parseAs(z.enum(METADATA_FORMS), JSON.stringify(form), "form of a metadata value"),
    ...lies,
  };
}

export function metadataOf({ name, type, form, value = "", attachment }: RecordedMetadata): Metadata {
  return {
    name,
    type,
    form,
    value: new Uint8Array(Buffer.from(value, "base64")),
    attachment: attachment ? JSON.stringify(attachment) : null,
  };
}
