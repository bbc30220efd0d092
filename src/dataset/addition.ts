/**
 * What `addFiles` is told: which local files and folders, and where in the dataset they go. Looks at them, and stages
 * nothing: a path that is missing leaves the draft as it was.
 */
import { resolve } from "node:path";
import { DatasetError, isDatasetError } from "../errors.js";
import { EntryType } from "../manifest/entry.js";
import {
  ROOT,
  type TreePath,
  bytesOfText,
  checkName,
  joinPath,
  nameOf,
  pathOfText,
  textOf,
} from "../paths.js";
import type { OptionNames } from "./known-options.js";
import { type LocalEntry, type SpecialFile, readLocalRoot } from "./local-folder.js";
import { type StageOptions, holdsSomething } from "./stage-folder.js";
import { isWildcard, splitPattern, textOfLiteral, withoutTilde } from "./wildcard.js";

export interface AddOptions extends Omit<StageOptions, "removeMissing" | "leaveOut"> {
  /** Folder inside the dataset. Default: its root. */
  datasetPath?: string | undefined;
  /** The same, shorter. */
  to?: string | undefined;
  /** Of a single file: its path inside the dataset, name included. In place of `datasetPath`. */
  as?: string | undefined;
  /** Local folder; what lies below it keeps its path from there on. Default: files keep their name, folders give what they hold. */
  localBaseFolder?: string | undefined;
}

export type SyncFolderOptions = Omit<AddOptions, "as" | "localBaseFolder">;

export const SYNC_OPTIONS: OptionNames<SyncFolderOptions> = {
  wildcards: true,
  recursive: true,
  datasetPath: true,
  to: true,
  symlinks: true,
  ignoreFiles: true,
  maxWorkers: true,
  signal: true,
  onProgress: true,
};

export const ADD_OPTIONS: OptionNames<AddOptions> = { ...SYNC_OPTIONS, as: true, localBaseFolder: true };

/** One path that the user named. */
export interface Addition {
  /** Absolute, a byte string. */
  from: string;
  local: LocalEntry | SpecialFile;
  /** The path of the file, or of the folder that takes what a folder holds. */
  to: TreePath;
  options: StageOptions;
}

/** What exists under just this name is meant; else it may be a pattern. */
export function additionOf(text: string, isOnly: boolean, options: AddOptions): Addition {
  const named = find(text) ?? find(textOfLiteral(withoutTilde(text)));
  if (named) return { ...named, to: placeIn(named, isOnly, options), options };
  if (!isWildcard(text)) throw missing(text);
  return patternOf(text, options);
}

function find(text: string): Pick<Addition, "from" | "local"> | undefined {
  const from = bytesOfText(resolve(text));
  try {
    return { from, local: readLocalRoot(from) };
  } catch (error) {
    if (isDatasetError(error, "not-found")) return undefined;
    throw error;
  }
}

/** A pattern: the folder that its fixed part names, and a wildcard that is held against what lies below. */
function patternOf(text: string, options: AddOptions): Addition {
  if (options.wildcards !== undefined)
    throw badInput(text, `Cannot add "${text}": it is a pattern itself, so wildcards cannot be given too`);
  const { folder, pattern } = splitPattern(withoutTilde(text));
  const found = find(folder);
  const given = { ...options, wildcards: pattern };
  if (found?.local.type !== EntryType.directory || !holdsSomething(found.from, given)) throw missing(text);
  return { ...found, to: placeIn(found, false, options), options: given };
}

function placeIn(
  { from, local }: Pick<Addition, "from" | "local">,
  isOnly: boolean,
  options: AddOptions,
): TreePath {
  const isFolder = local.type === EntryType.directory;
  if (options.as !== undefined) {
    if (isFolder || !isOnly)
      throw badInput(
        options.as,
        `Cannot add "${textOf(from)}" as "${options.as}": that is for one single file`,
      );
    if (options.as.endsWith("/") || pathOfText(options.as) === ROOT || placeOf(options) !== ROOT)
      throw badInput(
        options.as,
        `Cannot add a file as "${options.as}": name its whole path inside the dataset, and no datasetPath`,
      );
    return pathOfText(options.as);
  }
  const folder = placeOf(options);
  const relative =
    options.localBaseFolder === undefined ? undefined : belowBase(from, options.localBaseFolder);
  if (isFolder) return relative === undefined || relative === "" ? folder : joinPath(folder, relative);
  return joinPath(folder, relative ?? checkName(nameOf(from as TreePath)));
}

/** @throws {DatasetError} `bad-input` for what lies elsewhere */
function belowBase(from: string, localBaseFolder: string): string {
  const base = bytesOfText(resolve(localBaseFolder));
  if (from === base) return "";
  const prefix = base.endsWith("/") ? base : `${base}/`;
  if (from.startsWith(prefix)) return from.slice(prefix.length);
  throw badInput(
    localBaseFolder,
    `Cannot add "${textOf(from)}": it does not lie in the localBaseFolder "${localBaseFolder}"`,
  );
}

/** The folder inside the dataset that options name. @throws {DatasetError} `bad-input` */
export function placeOf({ datasetPath, to }: Pick<AddOptions, "datasetPath" | "to">): TreePath {
  if (datasetPath !== undefined && to !== undefined && pathOfText(datasetPath) !== pathOfText(to))
    throw badInput(to, `Cannot put files into "${datasetPath}" and into "${to}": name one`);
  return pathOfText(datasetPath ?? to ?? "");
}

function missing(text: string): DatasetError<"not-found"> {
  const problem = isWildcard(text)
    ? "there is no such file or folder, and nothing matches it"
    : "there is no such file or folder";
  return new DatasetError("not-found", { what: text }, `Cannot add "${text}": ${problem}`);
}

function badInput(value: string, message: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value }, message);
}
