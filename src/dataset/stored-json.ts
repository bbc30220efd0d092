/** JSON that somebody else may have written: parsed to a depth that everything else can walk, and checked. */
import type * as z from "zod";
import { DatasetError } from "../errors.js";

/** Metadata may nest a hundred deep. Deeper than this, who walks JSON by calls would run out of stack. */
const DEPTH_MAX = 512;
const [QUOTE, BACKSLASH, BRACKET, BRACE] = [0x22, 0x5c, 0x5b, 0x7b];

/** @throws {DatasetError} `format-damaged` */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (depthOf(bytes) > DEPTH_MAX) throw damaged(what);
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
  } catch (error) {
    throw damaged(what, error);
  }
}

/** JSON in a column or a field, as `schema` has it. @throws {DatasetError} `format-damaged` */
export function parseAs<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  what: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(parseJson(Buffer.from(text), what));
  if (parsed.success) return parsed.data;
  throw damaged(what, parsed.error);
}

export function damaged(what: string, cause?: unknown): DatasetError<"format-damaged"> {
  return new DatasetError("format-damaged", { what }, `Cannot read "${what}": it is damaged`, { cause });
}

/** How deep arrays and objects of a text of JSON lie in each other, told without parsing it. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, isText] = [0, 0, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText && byte === BACKSLASH) at++;
    else if (byte === QUOTE) isText = !isText;
    else if (isText) continue;
    else if (byte === BRACKET || byte === BRACE) deepest = Math.max(deepest, ++depth);
    else if (byte === BRACKET + 2 || byte === BRACE + 2) depth--;
  }
  return deepest;
}
