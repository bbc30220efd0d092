/** What yargs says of a line it cannot take, in words of ours. */
import { DatasetError } from "../errors.js";

/** @param line The words of the line. */
export function wrongUsage(said: string, line: readonly string[]): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: line.join(" ") }, wordsFor(said, line));
}

function wordsFor(said: string, line: readonly string[]): string {
  if (said.startsWith("Not enough non-option")) return `${said}; --help shows what it takes`;
  const implied = /^Implications failed:\s+(\S+) -> (\S+)/.exec(said);
  if (implied) return `Cannot take --${implied[1]} without --${implied[2]}`;
  const unknown = /^Unknown arguments?: (.*)$/s.exec(said);
  if (!unknown) return said;
  const names = asTyped(unknown[1]!.split(", "), line);
  return `Unknown argument${names.length === 1 ? "" : "s"}: ${names.join(", ")}; --help shows what it takes`;
}

/** yargs names an option of several words twice, the second time in the camel case of JavaScript. */
function asTyped(names: readonly string[], line: readonly string[]): string[] {
  return names.filter((name) => {
    const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const isTyped = line.some((word) => word === name || word.replace(/^--?/, "").split("=")[0] === name);
    return isTyped || !names.includes(dashed);
  });
}
