/** Formats of what is stored: an older one is read, a newer one is refused in the same words everywhere. */
import { DatasetError } from "./errors.js";

/**
 * The failure for what a newer varve has written.
 *
 * @param words Name it in the message: `catalog "/home/ada/catalog.db"`.
 * @param what Names it for programs. Default: the same words.
 */
export function newerFormat(
  words: string,
  version: number,
  known: number,
  what = words,
): DatasetError<"format-newer"> {
  const message = `Cannot read the ${words}: a newer varve wrote it (format ${version}, and this one knows up to ${known}); update varve`;
  return new DatasetError("format-newer", { what, version }, message);
}

/** Refuses JSON whose `format` is a greater number than is known; what else is wrong with it is for others to say. */
export function refuseNewer(json: unknown, known: number, words: string, what = words): void {
  if (typeof json !== "object" || json === null || !("format" in json)) return;
  const { format } = json;
  if (typeof format === "number" && format > known) throw newerFormat(words, format, known, what);
}
