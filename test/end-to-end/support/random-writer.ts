/**
 * Writes to a folder with ordinary calls, at random but the same for the same seed, and keeps a log: every call that
 * has returned, and the one that failed, as happens when the process behind the folder is killed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import type { Dataset } from "../../../src/dataset/dataset.js";
import { type Entry, EntryType } from "../../../src/manifest/entry.js";
import { noise } from "../../content/noise.js";
import { randomFrom } from "../../support/random.js";

/** What is at a path. The time is told only where it was set last, and nothing was written since. */
type Known =
  | { kind: "file"; bytes: Buffer; mode: number; mtimeNs?: bigint | undefined }
  | { kind: "folder" }
  | { kind: "link"; target: string };

type Tree = Map<string, Known>;

export interface Log {
  /** What must be there now. */
  tree: Tree;
  /** How often each kind of call has returned. */
  returned: Record<string, number>;
  /** Paths of the call that failed: it may have been done or not. */
  inDoubt: string[];
}

/** One call: makes it below `root`, and tells what it leaves in a tree. */
interface Call {
  paths: string[];
  make: (root: string) => void;
  record: (tree: Tree) => void;
}

/** Chooses among what there is. */
interface Choice {
  tree: Tree;
  below: (count: number) => number;
  /** Undefined when there is none of the kind. */
  any: (kind: Known["kind"]) => string | undefined;
  /** A path where there is nothing yet. */
  fresh: () => string;
}

const LARGEST_WRITE_BYTES = 20_000;
/** 2001 to 2023, in seconds. */
const TIMES = { from: 1_000_000_000, count: 700_000_000 };

const CALLS = {
  write,
  replace,
  append,
  rename,
  renameOver,
  renameFolder,
  mkdir,
  unlink,
  symlink,
  chmod,
  touch,
};
/** Files are made as often as they go. */
const KINDS = [...(Object.keys(CALLS) as (keyof typeof CALLS)[]), "write", "write"] as const;

/** Writes below `root` until a call fails. `initial` are the texts of the files that are there. */
export function writeUntilFailure(
  root: string,
  seed: number,
  initial: Readonly<Record<string, string>>,
): Log {
  const log: Log = { tree: treeOf(initial), returned: {}, inDoubt: [] };
  const choice = choiceOf(log.tree, seed);
  while (log.inDoubt.length === 0) writeOnce(root, log, choice);
  return log;
}

function writeOnce(root: string, log: Log, choice: Choice): void {
  const kind = KINDS[choice.below(KINDS.length)]!;
  const call = CALLS[kind](choice);
  if (!call) return;
  try {
    call.make(root);
    call.record(log.tree);
    log.returned[kind] = (log.returned[kind] ?? 0) + 1;
  } catch {
    log.inDoubt = call.paths;
  }
}

/** Where a version is not what a log says: one line for each path. */
export async function differences(dataset: Dataset, { tree, inDoubt }: Log): Promise<string[]> {
  const entries = new Map<string, Entry>();
  for await (const entry of dataset.listFiles()) entries.set(entry.path, entry);
  const lines: string[] = [];
  for (const path of new Set([...tree.keys(), ...entries.keys()])) {
    if (path === "" || inDoubt.some((doubt) => isAtOrBelow(path, doubt))) continue;
    const [wanted, entry] = [tree.get(path), entries.get(path)];
    const found = entry ? await lineOfEntry(dataset, entry, wanted) : "nothing";
    if (found !== lineOf(wanted)) lines.push(`${path}: wanted ${lineOf(wanted)}, found ${found}`);
  }
  return lines;
}

function lineOf(known: Known | undefined): string {
  if (!known) return "nothing";
  if (known.kind === "folder") return "folder";
  if (known.kind === "link") return `link to ${known.target}`;
  const { bytes, mode, mtimeNs } = known;
  const hash = createHash("sha256").update(bytes).digest("hex");
  return `file ${hash} ${mode.toString(8)}${mtimeNs === undefined ? "" : ` ${mtimeNs}`}`;
}

/** The entry, with its content read back, and its time when that is wanted. */
async function lineOfEntry(dataset: Dataset, entry: Entry, wanted: Known | undefined): Promise<string> {
  if (entry.type === EntryType.directory) return "folder";
  if (entry.type === EntryType.symlink) return `link to ${entry.target}`;
  const parts: Uint8Array[] = [];
  for await (const bytes of dataset.readFile(entry.path)) parts.push(bytes);
  const isTimed = wanted?.kind === "file" && wanted.mtimeNs !== undefined;
  const mtimeNs = isTimed ? BigInt(entry.mtimeSec) * 1_000_000_000n + BigInt(entry.mtimeNsec) : undefined;
  return lineOf({ kind: "file", bytes: Buffer.concat(parts), mode: entry.mode, mtimeNs });
}

function treeOf(initial: Readonly<Record<string, string>>): Tree {
  const tree: Tree = new Map([["", { kind: "folder" }]]);
  for (const [path, text] of Object.entries(initial)) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    tree.set(folder, { kind: "folder" });
    tree.set(path, { kind: "file", bytes: Buffer.from(text), mode: 0o644 });
  }
  return tree;
}

function choiceOf(tree: Tree, seed: number): Choice {
  const below = randomFrom(seed);
  let names = 0;
  const any = (kind: Known["kind"]) => {
    const paths = [...tree].flatMap(([path, known]) => (known.kind === kind ? [path] : []));
    return paths[below(paths.length)];
  };
  const fresh = () => join(any("folder") ?? "", `n${++names}`);
  return { tree, below, any, fresh };
}

function write({ fresh, below }: Choice): Call {
  const path = fresh();
  const bytes = noise(path, below(LARGEST_WRITE_BYTES));
  return {
    paths: [path],
    make: (root) => writeFileSync(join(root, path), bytes, { mode: 0o644 }),
    record: (tree) => void tree.set(path, { kind: "file", bytes, mode: 0o644 }),
  };
}

function replace({ any, below, fresh }: Choice): Call | undefined {
  const path = any("file");
  const bytes = noise(fresh(), below(LARGEST_WRITE_BYTES));
  const make = (root: string) => writeFileSync(join(root, path!), bytes);
  return path === undefined ? undefined : changeFile(path, make, () => ({ bytes, mtimeNs: undefined }));
}

function append({ any, below, fresh }: Choice): Call | undefined {
  const path = any("file");
  const more = noise(fresh(), 1 + below(LARGEST_WRITE_BYTES));
  const make = (root: string) => appendFileSync(join(root, path!), more);
  const changes = ({ bytes }: { bytes: Buffer }) => ({
    bytes: Buffer.concat([bytes, more]),
    mtimeNs: undefined,
  });
  return path === undefined ? undefined : changeFile(path, make, changes);
}

function chmod({ any, below }: Choice): Call | undefined {
  const path = any("file");
  const mode = [0o600, 0o644, 0o755][below(3)]!;
  return path === undefined
    ? undefined
    : changeFile(
        path,
        (root) => chmodSync(join(root, path), mode),
        () => ({ mode }),
      );
}

/** By the command, since Node sets times to the microsecond only. */
function touch({ any, below }: Choice): Call | undefined {
  const path = any("file");
  const [seconds, nanoseconds] = [TIMES.from + below(TIMES.count), below(1_000_000_000)];
  const time = `@${seconds}.${String(nanoseconds).padStart(9, "0")}`;
  const make = (root: string) => {
    if (spawnSync("touch", ["-c", "-d", time, join(root, path!)]).status !== 0)
      throw new Error("touch failed");
  };
  const mtimeNs = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  return path === undefined ? undefined : changeFile(path, make, () => ({ mtimeNs }));
}

type KnownFile = Extract<Known, { kind: "file" }>;

function changeFile(
  path: string,
  make: Call["make"],
  changes: (file: KnownFile) => Partial<KnownFile>,
): Call {
  const record = (tree: Tree) => {
    const file = tree.get(path) as KnownFile;
    tree.set(path, { ...file, ...changes(file) });
  };
  return { paths: [path], make, record };
}

function rename({ any, below, fresh }: Choice): Call | undefined {
  return move(any(below(4) === 0 ? "link" : "file"), fresh());
}

function renameOver({ any }: Choice): Call | undefined {
  return move(any("file"), any("file")!);
}

function renameFolder({ any, fresh }: Choice): Call | undefined {
  const [from, to] = [any("folder"), fresh()];
  return from === "" || from === undefined || isAtOrBelow(to, from) ? undefined : move(from, to);
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** A rename of anything, with all that lies below it. */
function move(from: string | undefined, to: string): Call | undefined {
  if (from === undefined || from === to) return undefined;
  const record = (tree: Tree) => {
    for (const [path, known] of [...tree].filter(([path]) => isAtOrBelow(path, from))) {
      tree.delete(path);
      tree.set(to + path.slice(from.length), known);
    }
  };
  return { paths: [from, to], make: (root) => renameSync(join(root, from), join(root, to)), record };
}

function mkdir({ fresh }: Choice): Call {
  const path = fresh();
  const make = (root: string) => mkdirSync(join(root, path));
  return { paths: [path], make, record: (tree) => void tree.set(path, { kind: "folder" }) };
}

function symlink({ fresh }: Choice): Call {
  const [path, target] = [fresh(), `target of ${fresh()}`];
  const make = (root: string) => symlinkSync(target, join(root, path));
  return { paths: [path], make, record: (tree) => void tree.set(path, { kind: "link", target }) };
}

function unlink({ any, below }: Choice): Call | undefined {
  const path = any(below(4) === 0 ? "link" : "file");
  if (path === undefined) return undefined;
  return {
    paths: [path],
    make: (root) => unlinkSync(join(root, path)),
    record: (tree) => void tree.delete(path),
  };
}
