/** Options from callers that no compiler has checked: one that is not known is an error, never ignored. */
import { DatasetError } from "../errors.js";

/** The names an options object may have, made so that the compiler asks for every one. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/**
 * @param call What messages name, as `Dataset.get`.
 * @throws {DatasetError} `bad-input`
 */
export function checkOptions(call: string, options: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const names = Object.keys(known).sort().join(", ");
  const message = `Cannot take the option ${JSON.stringify(unknown)} of ${call}: it knows ${names}`;
  throw new DatasetError("bad-input", { value: unknown }, message);
}

/**
 * Lists where a caller may have given one text instead: that would be taken for a list of its characters.
 *
 * @throws {DatasetError} `bad-input`
 */
export function checkLists(call: string, options: object, names: readonly string[]): void {
  const given = new Map<string, unknown>(Object.entries(options));
  const wrong = names.find((name) => given.get(name) !== undefined && !Array.isArray(given.get(name)));
  if (wrong === undefined) return;
  const message = `Cannot take the option "${wrong}" of ${call}: it is a list`;
  throw new DatasetError("bad-input", { value: wrong }, message);
}

/**
 * One text or a list of them, as a list.
 *
 * @throws {DatasetError} `bad-input` for anything else, for none at all, and for an empty one
 */
export function listOf(call: string, texts: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(texts) ? texts : [texts];
  if (list.length > 0 && list.every((text) => typeof text === "string" && text !== ""))
    return list as string[];
  const message = `Cannot call ${call}: it takes a text, or a list of texts, none of them empty`;
  throw new DatasetError("bad-input", { value: typeof texts }, message);
}
