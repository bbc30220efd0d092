/** What an object may be called. Every adapter checks each key it is given here, before it touches its store. */
import { DatasetError } from "../errors.js";
import type { ObjectKey } from "./remote.js";

/** S3's bound on a key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const KEY_MAX_BYTES = 1024;
/** POSIX NAME_MAX, so that the objects of any store can be copied into a folder. */
export const KEY_COMPONENT_MAX_BYTES = 255;

/** Checks a whole key. @throws {DatasetError} `bad-input` */
export function checkKey(key: ObjectKey): ObjectKey {
  const problem = problemOfText(key) ?? firstProblem(key.split("/"));
  if (problem) throw badKey(key, problem);
  return key;
}

/** Checks what a listing starts with: its last component may be the beginning of a name. @throws {DatasetError} `bad-input` */
export function checkPrefix(prefix: string): string {
  const problem = problemOfText(prefix) ?? firstProblem(prefix.split("/").slice(0, -1));
  if (problem) throw badKey(prefix, problem);
  return prefix;
}

/** Whether a name found in a store can be a component of a key. */
export function isKeyComponent(name: string): boolean {
  return (problemOfText(name) ?? problemOfComponent(name)) === undefined;
}

/** Whether a name found in a store is a whole key. */
export function isKey(name: string): boolean {
  return (problemOfText(name) ?? firstProblem(name.split("/"))) === undefined;
}

function problemOfText(text: string): string | undefined {
  if (text.length > KEY_MAX_BYTES) return `is over ${KEY_MAX_BYTES} bytes`;
  if (!/^[\x20-\x7e]*$/.test(text)) return "has other than printable ASCII";
  return undefined;
}

function firstProblem(components: string[]): string | undefined {
  return components.map(problemOfComponent).find((problem) => problem !== undefined);
}

function problemOfComponent(component: string): string | undefined {
  if (component === "") return "has an empty component";
  if (component === "." || component === "..") return `has a component "${component}"`;
  if (component.length > KEY_COMPONENT_MAX_BYTES)
    return `has a component of over ${KEY_COMPONENT_MAX_BYTES} bytes`;
  return undefined;
}

function badKey(key: string, problem: string): DatasetError<"bad-input"> {
  const shown = JSON.stringify(key.slice(0, 300));
  return new DatasetError("bad-input", { value: key }, `Cannot use the object key ${shown}: it ${problem}`);
}
