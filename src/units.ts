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

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 3.6e6,
  d: 8.64e7,
  w: 6.048e8,
};

/**
 * A length of time as people write it, in ms: `7d`, `12h`, `1.5 h`, `0`.
 *
 * @throws {DatasetError} `bad-input` for anything else, or one beyond what counts exactly
 */
export function parseDurationMs(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) *([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = Number(digits) === 0 && unit === "" ? 1 : MS_OF_UNIT[unit?.toLowerCase() ?? ""];
  const ms = Math.round(Number(digits) * (factor ?? NaN));
  if (Number.isSafeInteger(ms)) return ms;
  const message = `Cannot read "${text}" as a length of time: write, for example, "30s", "12h" or "7d"`;
  throw new DatasetError("bad-input", { value: text }, message);
}
