/** One meaning of a wildcard everywhere: in `add`, `sync` and `remove`. */
import picomatch from "picomatch";
import { textOf } from "../paths.js";

/** Whether a path (a byte string, relative to where the user started) is asked for. */
export type Matcher = (relative: string) => boolean;

/** A pattern without `/` is held against the name, else against the whole path. No pattern asks for everything. */
export function matcherOf(wildcards: readonly string[]): Matcher {
  if (wildcards.length === 0) return () => true;
  const matchers = wildcards.map((pattern) => {
    const matches = picomatch(pattern, { dot: true });
    return pattern.includes("/") ? matches : (path: string) => matches(path.slice(path.lastIndexOf("/") + 1));
  });
  return (relative) => matchers.some((matches) => matches(textOf(relative)));
}
