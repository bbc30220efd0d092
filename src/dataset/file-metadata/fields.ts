/** What can be said of a single file: fields by name, each a plain value. Pure: checks, and patches laid over what there is. */
import { DatasetError } from "../../errors.js";
import { KiB } from "../../units.js";
import type { Json } from "../metadata-value.js";

export type FileFields = Readonly<Record<string, Json>>;

/** Fields to set; null takes one away. Without `replace` all others stay. */
export interface FieldsPatch {
  replace: boolean;
  fields: FileFields;
}

/** Ten million files may have some: what is larger is a file of its own. */
export const FIELDS_MAX_BYTES = 16 * KiB;
/** Said of each row already. */
const RESERVED = "path";

/** @throws {DatasetError} `bad-input` */
export function checkFields(path: string, fields: unknown): FileFields {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw refused(path, "it is to be fields by name");
  const text = jsonText(fields);
  if (text === undefined) throw refused(path, "JSON cannot say what it holds");
  if (text.length > FIELDS_MAX_BYTES) throw refused(path, `it has over ${FIELDS_MAX_BYTES} bytes`);
  if (Object.hasOwn(fields, RESERVED)) throw refused(path, 'the field "path" is the path itself');
  return JSON.parse(text) as FileFields;
}

/** What is staged after one more patch. */
export function combinePatches(staged: FieldsPatch | undefined, next: FieldsPatch): FieldsPatch {
  if (!staged || next.replace) return next;
  return { replace: staged.replace, fields: { ...staged.fields, ...next.fields } };
}

/** The fields after a patch; undefined when none are left. */
export function applyPatch(
  base: FileFields | undefined,
  patch: FieldsPatch | undefined,
): FileFields | undefined {
  if (!patch) return base;
  const all = Object.entries({ ...(patch.replace ? {} : base), ...patch.fields });
  const left = all.filter(([, value]) => value !== null);
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

export function patchOf(text: string | undefined): FieldsPatch | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as FieldsPatch);
}

/** Numbers that are none and dates would come back as something else. */
function jsonText(value: object): string | undefined {
  const check = (_: string, each: unknown) => {
    const isPlain = each === null || ["string", "boolean", "object"].includes(typeof each);
    if (isPlain || (typeof each === "number" && Number.isFinite(each))) return each;
    throw new TypeError("not JSON");
  };
  try {
    return JSON.stringify(value, check);
  } catch {
    return undefined; // A cycle, or a bigint.
  }
}

function refused(path: string, problem: string): DatasetError<"bad-input"> {
  return new DatasetError(
    "bad-input",
    { value: path },
    `Cannot keep the metadata of the file "${path}": ${problem}`,
  );
}
