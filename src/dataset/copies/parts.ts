/**
 * Splitting the files of a version into parts of about equal bytes: laid end to end in the order of the tree, so that
 * a part is fetched as runs of packs, a file belongs to the part that its middle lies in. The same version and number of parts always
 * give the same parts.
 */
import { DatasetError } from "../../errors.js";

export interface PartOptions {
  /** One part of `numParts`, counted from 0: every file is in exactly one. */
  part?: number | undefined;
  numParts?: number | undefined;
}

/** @throws {DatasetError} `bad-input` */
export function checkPart({ part, numParts }: PartOptions): void {
  if (part === undefined && numParts === undefined) return;
  if (part === undefined)
    throw badPart("nothing", "is missing: with a number of parts, say which one, from 0 on");
  if (numParts === undefined) throw badPart(String(part), "needs the number of parts beside it");
  if (!Number.isSafeInteger(numParts) || numParts < 1)
    throw badPart(String(numParts), "is no number of parts: it must be a whole number from 1 on");
  if (!Number.isSafeInteger(part) || part < 0 || part >= numParts)
    throw badPart(String(part), `is none of ${numParts} parts: they are counted from 0 to ${numParts - 1}`);
}

/**
 * Tells of file after file, in order, whether it is in the part.
 *
 * @param whole How many files there are, and their bytes.
 */
export function isInPart(
  { part = 0, numParts = 1 }: PartOptions,
  whole: { files: number; bytes: number },
): (sizeBytes: number) => boolean {
  // A file weighs a byte more than it has, so that empty ones are spread too.
  const totalWeight = whole.bytes + whole.files;
  let before = 0;
  return (sizeBytes) => {
    const middle = before + (sizeBytes + 1) / 2;
    before += sizeBytes + 1;
    return Math.min(numParts - 1, Math.floor((middle / totalWeight) * numParts)) === part;
  };
}

function badPart(value: string, problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value }, `Cannot copy a part: ${value} ${problem}`);
}
