/**
 * Lines as they are typed for `clearml-data`, in the words of this command, so that scripts go on with another name in
 * front. Words are replaced before anybody parses them; what a line says that has no counterpart stays, and is refused.
 * `docs/from-clearml.md` has the table.
 */
import { MAX_CHUNK_BYTES } from "../content/fastcdc.js";
import { MAX_PACK_BYTES } from "../content/pack.js";
import { MiB } from "../units.js";

/** Gives the words in place of an option, by its values. */
type Replace = (values: readonly string[]) => readonly string[];
type Values = Readonly<Record<string, readonly string[] | undefined>>;

interface Spelling {
  /** Options one of which tells that a line is spelled so. Default: none is needed. */
  marks?: readonly string[];
  options?: Readonly<Record<string, Replace>>;
  /** Options that say what stands without one here, and what that is. */
  parts?: readonly string[];
  positionals?: (values: Values) => readonly (string | undefined)[];
  /** Default: the same. */
  command?: string;
}

/** All others take one value. */
const TAKE_MANY = new Set(["--parents", "--tags", "--ids", "--files", "--links", "--wildcard", "--filter"]);
const TAKE_NONE = new Set(["--filesize", "--verbose", "--disable-upload"]);

const as =
  (option: string): Replace =>
  (values) =>
    values.length === 0 ? [option] : values.flatMap((value) => [option, value]);

const BY_REFERENCE: Spelling = {
  marks: ["--id"],
  parts: ["--id"],
  positionals: ({ "--id": id }) => id ?? [],
};
const UPLOAD = { "--chunk-size": packSize, "--verbose": () => [] };
const STORAGE = { "--storage": as("--remote"), "--output-uri": as("--remote") };
const VERSION = { ...STORAGE, "--parents": as("--parent"), "--tags": as("--tag") };
const FILES = { "--files": as("--files"), "--verbose": () => [] };

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  create: {
    marks: ["--name"],
    options: VERSION,
    parts: ["--project", "--name"],
    positionals: (values) => [nameIn(values)],
  },
  add: {
    marks: ["--files", "--links"],
    options: { ...FILES, "--links": as("--links"), "--wildcard": as("--wildcard") },
  },
  remove: { marks: ["--files"], options: FILES },
  upload: { options: { ...UPLOAD, ...STORAGE } },
  close: { options: { ...UPLOAD, ...STORAGE, "--disable-upload": () => ["--no-upload"] } },
  sync: {
    marks: ["--folder"],
    options: { ...UPLOAD, ...VERSION },
    parts: ["--folder", "--project", "--name"],
    positionals: (values) => [values["--folder"]?.[0], nameIn(values)],
  },
  publish: BY_REFERENCE,
  delete: {
    marks: ["--id", "--name"],
    parts: ["--id", "--project", "--name", "--version"],
    positionals: (values) => [referenceIn(values)],
  },
  rename: {
    marks: ["--new-name"],
    parts: ["--project", "--name", "--new-name"],
    positionals: (values) => [nameIn(values), values["--new-name"]?.[0]],
  },
  move: {
    marks: ["--new-project"],
    parts: ["--project", "--name", "--new-project"],
    positionals: (values) => [nameIn(values), values["--new-project"]?.[0]],
  },
  compare: {
    marks: ["--source", "--target"],
    parts: ["--source", "--target"],
    positionals: ({ "--source": source = [], "--target": target = [] }) => [...source, ...target],
  },
  squash: {
    marks: ["--ids"],
    options: { ...STORAGE, "--verbose": () => [] },
    parts: ["--name", "--ids"],
    positionals: ({ "--name": name = [], "--ids": ids = [] }) => [...name, ...ids],
  },
  search: { options: { "--ids": as("--id"), "--tags": as("--tag") } },
  verify: {
    marks: ["--id", "--folder", "--filesize"],
    options: { "--verbose": () => [], "--filesize": as("--size") },
    parts: ["--id", "--folder"],
    positionals: ({ "--id": id = [], "--folder": folder = [] }) => [...id, ...folder],
  },
  // Here `list` is of datasets; the files of a version are listed by `ls`.
  list: {
    marks: ["--id", "--version"],
    command: "ls",
    parts: ["--id", "--project", "--name", "--version", "--filter"],
    positionals: (values) => ["-lR", referenceIn(values), ...(values["--filter"] ?? [])],
  },
  get: {
    marks: ["--id"],
    options: { "--verbose": () => [] },
    parts: ["--id", "--copy"],
    positionals: ({ "--id": id = [], "--copy": copy = [] }) => [...id, ...copy],
  },
  "set-description": {
    marks: ["--id"],
    parts: ["--id", "--description"],
    positionals: ({ "--id": id = [], "--description": description = [] }) => [...id, ...description],
  },
};

/** @param args The words after `varve`; they come back as they are unless they are spelled so. */
export function withoutClearmlSpellings(args: readonly string[]): readonly string[] {
  const [command = "", ...words] = args;
  const spelling = Object.hasOwn(SPELLINGS, command) ? SPELLINGS[command] : undefined;
  if (!spelling) return args;
  const { marks, options = {}, parts = [], positionals } = spelling;
  const pieces = piecesOf(words, new Set([...Object.keys(options), ...parts]));
  if (marks && !pieces.some(({ option }) => marks.includes(option))) return args;
  const values = Object.fromEntries(pieces.map(({ option, values }) => [option, values]));
  const places = positionals?.(values).filter((word) => word !== undefined) ?? [];
  const rest = pieces
    .filter(({ option }) => !parts.includes(option))
    .flatMap(({ option, values }) => options[option]?.(values) ?? values);
  return [spelling.command ?? command, ...places, ...rest];
}

/** An option that is known with its values, or a word that stays, as a value of none. */
interface Piece {
  option: string;
  values: readonly string[];
}

function piecesOf(words: readonly string[], known: ReadonlySet<string>): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < words.length;) {
    const [option = "", ...joined] = words[at]!.split("=");
    if (!known.has(option)) pieces.push({ option: "", values: [words[at++]!] });
    else if (joined.length > 0) pieces.push({ option, values: [words[at++]!.slice(option.length + 1)] });
    else {
      const end = endOfValues(option, words, at + 1);
      pieces.push({ option, values: words.slice(at + 1, end) });
      at = end;
    }
  }
  return pieces;
}

function endOfValues(option: string, words: readonly string[], from: number): number {
  if (TAKE_NONE.has(option)) return from;
  if (!TAKE_MANY.has(option)) return Math.min(from + 1, words.length);
  const next = words.findIndex((word, at) => at >= from && word.startsWith("-"));
  return next === -1 ? words.length : next;
}

function nameIn({ "--project": project, "--name": name }: Values): string | undefined {
  return [...(project ?? []), ...(name ?? [])].join("/") || undefined;
}

function referenceIn(values: Values): string | undefined {
  const version = values["--version"]?.[0];
  return values["--id"]?.[0] ?? (nameIn(values) ?? "") + (version === undefined ? "" : `@${version}`);
}

/** There in MB, without a limit from 0 on down; 512 when nobody says. Packs have bounds of their own. */
function packSize([megabytes = ""]: readonly string[]): string[] {
  if (!/^-?\d+$/.test(megabytes)) return ["--pack-size", megabytes];
  const asked = Number(megabytes) > 0 ? Number(megabytes) * MiB : Infinity;
  const bytes = Math.min(Math.max(asked, MAX_CHUNK_BYTES), MAX_PACK_BYTES);
  return ["--pack-size", `${Math.floor(bytes / MiB)}MiB`];
}
