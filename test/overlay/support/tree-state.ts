/** A tree as plain data, to be compared: of a folder, of an overlay, of what a commit makes. */
import * as fs from "node:fs";
import { join } from "node:path";
import { FileType } from "../../../src/fs/filesystem.js";
import { type Client, isType } from "./client.js";
import { getXattr } from "./native.js";

export interface NodeState {
  mode: number;
  content?: string;
  target?: string;
  /** Hard links: the first of all paths of the file. */
  first?: string;
  xattrs?: Record<string, string>;
}

export type TreeState = Record<string, NodeState>;

export const XATTRS = ["user.one", "user.two"];

export function treeOfFolder(root: string): TreeState {
  const tree: TreeState = {};
  const firsts = new Map<number, string>();
  const visit = (path: string): void => {
    const at = join(root, path);
    const { mode, ino } = fs.lstatSync(at);
    const node: NodeState = { mode };
    if (isType({ mode }, FileType.file)) {
      node.content = fs.readFileSync(at, "latin1");
      node.first = firstOf(firsts, ino, path);
    }
    if (isType({ mode }, FileType.symlink)) node.target = fs.readlinkSync(at);
    else
      Object.assign(
        node,
        xattrsOf((name) => getXattr(at, name)),
      );
    tree[path] = node;
    if (isType({ mode }, FileType.directory))
      for (const name of fs.readdirSync(at).sort()) visit(join(path, name));
  };
  visit("");
  return tree;
}

export function treeOfClient(client: Client): TreeState {
  const tree: TreeState = {};
  const firsts = new Map<number, string>();
  const visit = (path: string): void => {
    const { mode, ino } = client.resolve(path);
    const node: NodeState = { mode };
    if (isType({ mode }, FileType.file)) {
      node.content = client.whole(path).toString("latin1");
      node.first = firstOf(firsts, ino, path);
    }
    if (isType({ mode }, FileType.symlink)) node.target = client.run((overlay) => overlay.readlink(ino));
    else
      Object.assign(
        node,
        xattrsOf((name) => client.run((overlay) => overlay.getxattr(ino, name))),
      );
    tree[path] = node;
    if (!isType({ mode }, FileType.directory)) return;
    const names = client.list(path).map(([name]) => name);
    if (new Set(names).size < names.length) throw new Error(`"${path}" lists a name twice: ${names.join()}`);
    for (const name of names.sort()) visit(join(path, name));
  };
  visit("");
  return tree;
}

export function firstOf(firsts: Map<number, string>, ino: number, path: string): string {
  const first = firsts.get(ino) ?? path;
  firsts.set(ino, first);
  return first;
}

function xattrsOf(get: (name: string) => Uint8Array): Pick<NodeState, "xattrs"> {
  const found: Record<string, string> = {};
  for (const name of XATTRS) {
    try {
      found[name] = Buffer.from(get(name)).toString("utf8");
    } catch {
      // not set
    }
  }
  return Object.keys(found).length > 0 ? { xattrs: found } : {};
}
