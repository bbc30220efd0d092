/**
 * Words after `--` name things, whatever they begin with: `varve cat REF -- -odd.txt`. yargs keeps such words from the
 * positionals of a command, so they are marked before it parses and unmarked before anybody reads them.
 */

/** No word of a command line can hold it. */
const MARK = "\0";

/** The words of a command line without `--`; those after it are positionals. What follows it in `watch` is a command of its own. */
export function markAfterDashes(args: readonly string[]): readonly string[] {
  const at = args.indexOf("--");
  if (at < 0 || args[0] === "watch") return args;
  return [...args.slice(0, at), ...args.slice(at + 1).map((word) => MARK + word)];
}

/** Takes the marks off what yargs made of the words. */
export function unmark(parsed: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(parsed))
    parsed[name] = Array.isArray(value) ? value.map(unmarked) : unmarked(value);
}

function unmarked(value: unknown): unknown {
  return typeof value === "string" && value.startsWith(MARK) ? value.slice(MARK.length) : value;
}
