/** Labels at random: equal ones, near ones and far ones are all likely. */
import fc from "fast-check";

import { LABEL_MAX_CHARS } from "../../src/catalog/label.js";

const number = fc.oneof(fc.nat(3), fc.nat(120), fc.maxSafeNat()).map(String);
const digits = fc.oneof(number, fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String));
const word = fc
  .string({ unit: fc.constantFrom("0", "1", "9", "a", "z", "A", "Z", "-"), minLength: 1, maxLength: 4 })
  .map((text) => (/^[0-9]+$/.test(text) ? `a${text}` : text));
const parts = (part: fc.Arbitrary<string>, minLength: number, maxLength: number) =>
  fc.array(part, { minLength, maxLength }).map((all) => all.join("."));
const suffix = (sign: string, part: fc.Arbitrary<string>) =>
  fc.option(parts(part, 1, 3), { nil: "" }).map((text) => text && sign + text);
const joined = (...texts: fc.Arbitrary<string>[]) => fc.tuple(...texts).map((all) => all.join(""));

/** Any label that leaves room for the one after it. */
export const label = joined(
  fc.constantFrom("", "", "v"),
  parts(digits, 1, 3),
  suffix("-", fc.oneof(digits, word)),
  suffix("+", fc.oneof(word, fc.constantFrom("0", "007"))),
).filter((text) => text.length <= LABEL_MAX_CHARS - 2);

/** A complete SemVer version without build, of numbers that JavaScript can hold. */
export const release = joined(parts(number, 3, 3), suffix("-", fc.oneof(number, word)));
