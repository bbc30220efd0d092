/** Sizes in bytes, and how people write them. */
import { DatasetError } from "./errors.js";

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** Both families are taken at their word: `MB` is a million bytes, `MiB` 1,048,576; a lone letter means the binary one. */
const BYTES_OF_UNIT = new Map<string, number>([
  ["", 1],
  ["b", 1],
  ...["k", "m", "g", "t", "p"].flatMap((letter, index): [string, number][] => [
    [letter, 1024 ** (index + 1)],
    [`${letter}b`, 1000 ** (index + 1)],
    [`${letter}ib`, 1024 ** (index + 1)],
  ]),
]);

/**
 * A size as people write it, in bytes: `10GiB`, `1.5 MB`, `4096`. Case does not matter.
 *
 * @throws {DatasetError} `bad-input` for anything else, a negative size, or one beyond what counts exactly
 */
export function parseSizeBytes(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) *([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = BYTES_OF_UNIT.get(unit?.toLowerCase() ?? "");
  const sizeBytes = Math.round(Number(digits) * (factor ?? NaN));
  if (Number.isSafeInteger(sizeBytes)) return sizeBytes;
  throw new DatasetError(
    "bad-input",
    { value: text },
    `Cannot read "${text}" as a size: write a number of bytes or, for example, "500MB" or "10GiB"`,
  );
}
