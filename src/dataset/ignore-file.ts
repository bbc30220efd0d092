/**
 * Which files of a folder a `.varveignore` leaves out. It means what a `.gitignore` means: its patterns hold for the folder
 * it lies in and those below, a deeper file overrules one above, and what lies in a folder left out cannot be brought back.
 * Source: https://git-scm.com/docs/gitignore
 */
import { readFileSync } from "node:fs";
import ignore, { type Ignore } from "ignore";
import { errnoOf } from "../errors.js";
import { bufferOf, textOf } from "../paths.js";
import { unreadable } from "./local-folder.js";

export const IGNORE_FILE = ".varveignore";

/** The rules that hold in a folder; undefined where there are none. */
export type IgnoreRules = Ignore | undefined;

/**
 * The rules of a folder: those of the folder above, and what its own ignore file says.
 *
 * @param folder Absolute, a byte string.
 * @param relative The same below where the walk began; rules are held against such paths.
 * @throws {DatasetError} `source-unreadable`
 */
export function rulesIn(folder: string, relative: string, above: IgnoreRules): IgnoreRules {
  const text = textOfFile(`${folder}/${IGNORE_FILE}`);
  if (text === undefined) return above;
  const rules = ignore({ ignorecase: false });
  if (above) rules.add(above);
  return rules.add(text.split(/\r?\n/).map((line) => ruleBelow(textOf(relative), line)));
}

/** Whether the rules leave out what lies at a path. Folders above it have been asked about before. */
export function isIgnored(rules: IgnoreRules, relative: string, kind: "file" | "folder"): boolean {
  return rules?.ignores(textOf(relative) + (kind === "folder" ? "/" : "")) === true;
}

/** A line of an ignore file in `folder` as one for a file where the walk began. */
function ruleBelow(folder: string, line: string): string {
  if (folder === "" || line.trim() === "" || line.startsWith("#")) return line;
  const [, negation = "", rule = ""] = /^(!?)(.*)$/s.exec(line) ?? [];
  const isAnchored = /\/(?=.*\S)/.test(rule);
  const place = folder.replace(/[\\*?[\]!# ]/g, "\\$&");
  return `${negation}/${place}/${isAnchored ? "" : "**/"}${rule.replace(/^\//, "").replace(/^\\([!#])/, "$1")}`;
}

function textOfFile(path: string): string | undefined {
  try {
    return readFileSync(bufferOf(path), "utf8");
  } catch (error) {
    if (["ENOENT", "EISDIR", "ENAMETOOLONG"].includes(errnoOf(error) ?? "")) return undefined;
    throw unreadable(path, error);
  }
}
