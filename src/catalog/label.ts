/**
 * Labels of versions: SemVer 2.0, where the minor and patch numbers may be missing and a `v` may lead. Pure text to
 * text; what the labels belong to is not known here. Numbers have as many digits as somebody writes.
 * Source: https://semver.org/spec/v2.0.0.html
 */
import { DatasetError } from "../errors.js";

/** A label completed with zeros and without its `v`: one spelling for all that mean the same. */
export type CanonicalLabel = string & { readonly brand: "CanonicalLabel" };

/** A label taken apart. Numbers stay text, since SemVer bounds no number. */
export interface Label {
  text: string;
  /** One to three numbers, as many as were written. */
  numbers: readonly string[];
  /** Identifiers after `-`; none for a release. */
  prerelease: readonly string[];
  /** What follows `+`; empty when there is none. */
  build: string;
}

/** A label is the last component of an object's key, URL-encoded; this leaves room for that. */
export const LABEL_MAX_CHARS = 128;

const NUMBER = "(?:0|[1-9][0-9]*)";
const PRERELEASE = `(?:${NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)`;
const LABEL = new RegExp(
  `^v?(?<numbers>${NUMBER}(?:\\.${NUMBER}){0,2})` +
    `(?:-(?<prerelease>${PRERELEASE}(?:\\.${PRERELEASE})*))?` +
    `(?:\\+(?<build>[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*))?$`,
);
const DIGITS = /^[0-9]+$/;

/** Takes a label apart. @throws {DatasetError} `bad-input` */
export function parseLabel(text: string): Label {
  const groups = text.length <= LABEL_MAX_CHARS ? LABEL.exec(text)?.groups : undefined;
  if (!groups) throw badLabel(text);
  const { numbers = "", prerelease = "", build = "" } = groups;
  return { text, numbers: numbers.split("."), prerelease: prerelease ? prerelease.split(".") : [], build };
}

export function isLabel(text: string): boolean {
  return text.length <= LABEL_MAX_CHARS && LABEL.test(text);
}

/** `v1.0` is `1.0.0`. Build metadata stays, since two labels may differ in it alone. @throws {DatasetError} `bad-input` */
export function canonicalLabel(text: string): CanonicalLabel {
  const label = parseLabel(text);
  return textOfLabel({ ...label, numbers: completed(label.numbers) }) as CanonicalLabel;
}

/** Whether a label has a pre-release part, as `2.0.0-rc.1`. @throws {DatasetError} `bad-input` */
export function isPrerelease(text: string): boolean {
  return parseLabel(text).prerelease.length > 0;
}

/**
 * SemVer's precedence, as if both were completed with zeros: negative when `a` comes before `b`. Build metadata,
 * which SemVer leaves out, breaks the last tie bytewise. @throws {DatasetError} `bad-input`
 */
export function compareLabels(a: string, b: string): number {
  const [left, right] = [parseLabel(a), parseLabel(b)];
  return (
    compareLists(completed(left.numbers), completed(right.numbers), compareNumbers) ||
    comparePrereleases(left.prerelease, right.prerelease) ||
    compareText(left.build, right.build)
  );
}

/**
 * The label a next version takes by itself: the last number of the most specific part that was written, plus one.
 * It comes after `highest`, has no `v` and no build metadata. With no label yet it is `1.0.0`.
 *
 * @throws {DatasetError} `bad-input` when `highest` is no label, or its successor would be too long
 */
export function nextLabel(highest: string | undefined): string {
  if (highest === undefined) return "1.0.0";
  const { numbers, prerelease } = parseLabel(highest);
  const next =
    prerelease.length > 0
      ? { numbers, prerelease: bumped(prerelease) }
      : { numbers: bumped(numbers), prerelease };
  return parseLabel(textOfLabel({ ...next, build: "" })).text;
}

/**
 * Text that compares bytewise as `compareLabels` does, for a column to sort by. Each number is preceded by its
 * length. After the numbers comes `,` for each pre-release identifier, or `~` for a release; both that comma and the
 * `+` after them come before every character an identifier has.
 */
export function labelOrder(text: string): string {
  const { numbers, prerelease, build } = parseLabel(text);
  const core = completed(numbers).map(orderOfNumber).join("");
  const rest =
    prerelease.length === 0 ? "~" : prerelease.map((part) => `,${orderOfIdentifier(part)}`).join("");
  return `${core}${rest}+${build}`;
}

function completed(numbers: readonly string[]): string[] {
  return [...numbers, "0", "0"].slice(0, 3);
}

function textOfLabel({ numbers, prerelease, build }: Omit<Label, "text">): string {
  const suffix = prerelease.length > 0 ? `-${prerelease.join(".")}` : "";
  return numbers.join(".") + suffix + (build && `+${build}`);
}

/** The last number plus one; where the last identifier is no number, a new one after it. */
function bumped(parts: readonly string[]): string[] {
  const last = parts.at(-1) ?? "";
  return DIGITS.test(last) ? [...parts.slice(0, -1), String(BigInt(last) + 1n)] : [...parts, "1"];
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  return compareLists(a, b, compareIdentifiers);
}

/** Item by item; where one list begins the other, the longer one comes after. */
function compareLists(
  a: readonly string[],
  b: readonly string[],
  compare: (a: string, b: string) => number,
): number {
  for (const [index, item] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compare(item, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers come before words. */
function compareIdentifiers(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [DIGITS.test(a), DIGITS.test(b)];
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return aIsNumber ? compareNumbers(a, b) : compareText(a, b);
}

/** Of two numbers without leading zeros, the longer is the greater. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function orderOfNumber(digits: string): string {
  return String(digits.length).padStart(3, "0") + digits;
}

function orderOfIdentifier(identifier: string): string {
  return DIGITS.test(identifier) ? `0${orderOfNumber(identifier)}` : `1${identifier}`;
}

function badLabel(text: string): DatasetError<"bad-input"> {
  const shown = JSON.stringify(text.slice(0, 200));
  const message =
    `Cannot take ${shown} as a version label: give up to three numbers, such as "1.2.3", "1.0" or "v2", ` +
    `with a pre-release after "-" ("2.0.0-rc.1") or a build after "+", at most ${LABEL_MAX_CHARS} characters, ` +
    `no number with a leading zero`;
  return new DatasetError("bad-input", { value: text }, message);
}
