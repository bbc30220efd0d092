/**
 * What metadata of a version may be, and how it is kept: a value of any JSON kind, text, or bytes with their media type.
 * Pure: bytes in, values out, each coming back as what it was put in as.
 */
import { extname } from "node:path";
import { DatasetError } from "../errors.js";
import { parseJson } from "./stored-json.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A string is text, a `Uint8Array` bytes, all else JSON. */
export type MetadataValue = Json | Uint8Array;

/** Which of the three a value was. */
export const METADATA_FORMS = ["json", "text", "bytes"] as const;
export type MetadataForm = (typeof METADATA_FORMS)[number];

export interface EncodedValue {
  form: MetadataForm;
  /** A media type. */
  type: string;
  bytes: Uint8Array;
}

const NAME_MAX_CHARS = 200;
const TYPE_MAX_CHARS = 200;
const DEPTH_MAX = 100;

const TYPE_OF_FORM: Record<MetadataForm, string> = {
  json: "application/json",
  text: "text/plain",
  bytes: "application/octet-stream",
};

const TYPE_OF_ENDING: ReadonlyMap<string, string> = new Map([
  [".json", "application/json"],
  [".jsonl", "application/x-ndjson"],
  [".ndjson", "application/x-ndjson"],
  [".csv", "text/csv"],
  [".tsv", "text/tab-separated-values"],
  [".txt", "text/plain"],
  [".md", "text/markdown"],
  [".html", "text/html"],
  [".yaml", "application/yaml"],
  [".yml", "application/yaml"],
  [".parquet", "application/vnd.apache.parquet"],
  [".arrow", "application/vnd.apache.arrow.file"],
  [".feather", "application/vnd.apache.arrow.file"],
  [".arrows", "application/vnd.apache.arrow.stream"],
  [".npy", "application/x-npy"],
  [".npz", "application/x-npz"],
  [".png", "image/png"],
  [".jpg", "image/jpeg"],
  [".jpeg", "image/jpeg"],
  [".gif", "image/gif"],
  [".webp", "image/webp"],
  [".svg", "image/svg+xml"],
  [".bmp", "image/bmp"],
  [".tif", "image/tiff"],
  [".tiff", "image/tiff"],
  [".wav", "audio/wav"],
  [".mp3", "audio/mpeg"],
  [".ogg", "audio/ogg"],
  [".flac", "audio/flac"],
  [".m4a", "audio/mp4"],
  [".mp4", "video/mp4"],
  [".webm", "video/webm"],
  [".mov", "video/quicktime"],
  [".mkv", "video/x-matroska"],
  [".htm", "text/html"],
]);

/** The media type that the ending of a name tells; undefined for an ending nobody knows. */
export function mediaTypeOf(path: string): string | undefined {
  return TYPE_OF_ENDING.get(extname(path).toLowerCase());
}

/** @throws {DatasetError} `bad-input` for what is neither JSON, text nor bytes, and would not come back as it was */
export function encodeValue(value: MetadataValue, type?: string): EncodedValue {
  if (value instanceof Uint8Array) return encoded("bytes", type, value);
  if (typeof value === "string") return encoded("text", type, Buffer.from(checkText(value), "utf8"));
  checkJson(value, 0);
  return encoded("json", type, Buffer.from(JSON.stringify(value), "utf8"));
}

/** Undoes `encodeValue`. @throws {DatasetError} `format-damaged` for JSON that is none */
export function decodeValue({ form, bytes }: Pick<EncodedValue, "form" | "bytes">): MetadataValue {
  if (form === "bytes") return new Uint8Array(bytes);
  const text = Buffer.from(bytes).toString("utf8");
  return form === "text" ? text : (parseJson(bytes, "metadata value") as Json);
}

/** The name of a value or a report: any text on one line; none is reserved. @throws {DatasetError} `bad-input` */
export function checkMetadataName(name: string): string {
  const problem =
    name === ""
      ? "is empty"
      : name.length > NAME_MAX_CHARS
        ? `is over ${NAME_MAX_CHARS} characters`
        : /[\p{Cc}\p{Cs}]/u.test(name)
          ? "has a control character"
          : undefined;
  if (problem === undefined) return name;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new DatasetError(
    "bad-input",
    { value: name },
    `Cannot take ${shown} as a name of metadata: it ${problem}`,
  );
}

function encoded(form: MetadataForm, type: string = TYPE_OF_FORM[form], bytes: Uint8Array): EncodedValue {
  if (/^[\w.+-]+\/[\w.+-]+( *;[\x20-\x7e]*)?$/.test(type) && type.length <= TYPE_MAX_CHARS)
    return { form, type, bytes: new Uint8Array(bytes) };
  const message = `Cannot take ${JSON.stringify(type.slice(0, 80))} as a media type: write one such as text/csv`;
  throw new DatasetError("bad-input", { value: type }, message);
}

function checkText(text: string): string {
  if (!/\p{Cs}/u.test(text)) return text;
  const message = "Cannot keep the text: it holds half of a surrogate pair; give it as bytes";
  throw new DatasetError("bad-input", { value: "text" }, message);
}

function checkJson(value: unknown, depth: number): void {
  if (depth > DEPTH_MAX) throw notJson(`is nested over ${DEPTH_MAX} deep`);
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") return void checkText(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw notJson(`holds ${value}`);
  } else if (Array.isArray(value)) for (const each of value as unknown[]) checkJson(each, depth + 1);
  else if (isPlain(value)) for (const each of Object.values(value)) checkJson(each, depth + 1);
  else throw notJson(`holds ${typeof value === "object" ? `a ${value.constructor.name}` : typeof value}`);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function notJson(problem: string): DatasetError<"bad-input"> {
  const message = `Cannot keep the metadata: it ${problem}, which JSON cannot say; give bytes, text, or plain values`;
  return new DatasetError("bad-input", { value: "metadata" }, message);
}
