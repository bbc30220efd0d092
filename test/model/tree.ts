/** A tree as plain data: of a folder, of a mount, of a version. Told whole, to be compared. */
import { createHash } from "node:crypto";
import { constants, readdirSync } from "node:fs";
import type { Dataset } from "../../src/dataset/dataset.js";
import { FileType, TYPE_MASK } from "../../src/fs/filesystem.js";
import { type Entry, EntryType } from "../../src/manifest/entry.js";
import { AT_FDCWD, c, call, filled, lstat, readAt } from "./syscalls.js";

export interface Node {
  /** Type and permission bits, octal. */
  mode: string;
  uid: number;
  gid: number;
  mtimeNs: string;
  /** Of a file: its size, and the SHA-256 of its bytes. */
  content?: string;
  target?: string;
  xattrs?: Record<string, string>;
  /** All paths of one inode that has several, sorted. */
  links?: string[];
}

/** Paths are byte strings; `""` is the root. */
export type TreeState = ReadonlyMap<string, Node>;

/** All that a folder shows: a mount's `.varve` is none of it, since it is not listed. */
export function treeOfFolder(root: string): TreeState {
  const nodes = new Map<string, Node>();
  const links = new Map<number, string[]>();
  const visit = (path: string): void => {
    const at = path === "" ? root : `${root}/${path}`;
    const found = lstat(at);
    const type = found.mode & TYPE_MASK;
    const { uid, gid } = found;
    const node: Node = { mode: found.mode.toString(8), uid, gid, mtimeNs: String(found.mtimeNs) };
    if (type === FileType.file) node.content = contentOf(at, found.sizeBytes);
    if (type === FileType.symlink) node.target = targetOf(at);
    if (type === FileType.file || type === FileType.directory) Object.assign(node, xattrsOf(at));
    if (type !== FileType.directory) links.set(found.ino, [...(links.get(found.ino) ?? []), path]);
    nodes.set(path, node);
    if (type === FileType.directory)
      for (const name of namesOf(at)) visit(path === "" ? name : `${path}/${name}`);
  };
  visit("");
  return withLinks(nodes, links.values());
}

export async function treeOfVersion(dataset: Dataset): Promise<TreeState> {
  const nodes = new Map<string, Node>();
  const groups = new Map<string, string[]>();
  nodes.set("", await nodeOfEntry(dataset, await dataset.entry("")));
  for await (const entry of dataset.listFiles()) {
    nodes.set(entry.path, await nodeOfEntry(dataset, entry));
    const others = "hardLinks" in entry ? (entry.hardLinks ?? []) : [];
    const group = [entry.path, ...others].map((path) => groups.get(path)).find((known) => known) ?? [];
    group.push(entry.path);
    for (const path of [entry.path, ...others]) groups.set(path, group);
  }
  return withLinks(nodes, new Set(groups.values()));
}

function withLinks(nodes: Map<string, Node>, groups: Iterable<string[]>): TreeState {
  for (const group of groups) {
    if (group.length < 2) continue;
    const links = [...new Set(group)].sort();
    for (const path of links) nodes.get(path)!.links = links;
  }
  return nodes;
}

function namesOf(path: string): string[] {
  const names = readdirSync(Buffer.from(path, "latin1"), { encoding: "buffer" });
  return names.map((name) => name.toString("latin1")).sort();
}

function contentOf(path: string, sizeBytes: number): string {
  const fd = call("openat", AT_FDCWD, c(path), constants.O_RDONLY, 0);
  try {
    // One byte more than it says it has.
    const bytes = readAt(fd, 0, sizeBytes + 1);
    return `${bytes.length} ${hashOf([bytes])}`;
  } finally {
    call("close", fd);
  }
}

function targetOf(path: string): string {
  return filled((to) => call("readlinkat", AT_FDCWD, c(path), to, to.length)).toString("latin1");
}

function xattrsOf(path: string): Pick<Node, "xattrs"> {
  const names = filled((to) => call("listxattr", c(path), to, to.length)).toString("latin1");
  const values = names
    .split("\0")
    .slice(0, -1)
    .sort()
    .map((name) => [
      name,
      filled((to) => call("getxattr", c(path), c(name), to, to.length)).toString("latin1"),
    ]);
  return values.length > 0 ? { xattrs: Object.fromEntries(values) as Record<string, string> } : {};
}

const TYPES: Record<Entry["type"], number> = {
  [EntryType.directory]: FileType.directory,
  [EntryType.file]: FileType.file,
  [EntryType.symlink]: FileType.symlink,
  [EntryType.link]: FileType.file,
};

async function nodeOfEntry(dataset: Dataset, entry: Entry): Promise<Node> {
  const { uid, gid } = entry;
  const mtimeNs = String(BigInt(entry.mtimeSec) * 1_000_000_000n + BigInt(entry.mtimeNsec));
  const node: Node = { mode: (TYPES[entry.type] | entry.mode).toString(8), uid, gid, mtimeNs };
  if (entry.type === EntryType.symlink) node.target = entry.target;
  if (entry.type === EntryType.file) {
    const parts: Uint8Array[] = [];
    for await (const part of dataset.readFile(entry)) parts.push(part);
    node.content = `${entry.sizeBytes} ${hashOf(parts)}`;
  }
  const xattrs = [...(entry.xattrs ?? [])].map(([name, value]) => [
    name,
    Buffer.from(value).toString("latin1"),
  ]);
  if (xattrs.length > 0) node.xattrs = Object.fromEntries(xattrs) as Record<string, string>;
  return node;
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
}

/** What differs, a line for each path; `told` says what of a node counts. */
export function differences(
  [left, a]: [string, TreeState],
  [right, b]: [string, TreeState],
  told: (node: Node) => unknown = (node) => node,
): string[] {
  const lineOf = (node: Node | undefined): string => (node ? JSON.stringify(told(node)) : "nothing");
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((path) => {
    const [one, other] = [lineOf(a.get(path)), lineOf(b.get(path))];
    return one === other ? [] : [`${JSON.stringify(path)}:\n  ${left}: ${one}\n  ${right}: ${other}`];
  });
}

/** What a version cannot hold: fifos, sockets, devices. */
export function isSpecial({ mode }: Node): boolean {
  const type = parseInt(mode, 8) & TYPE_MASK;
  return type !== FileType.file && type !== FileType.directory && type !== FileType.symlink;
}

/** A tree without what a version cannot hold. */
export function keptOf(tree: TreeState): TreeState {
  return new Map([...tree].filter(([, node]) => !isSpecial(node)));
}
