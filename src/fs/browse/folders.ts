/**
 * What lies above the versions: folders of projects and datasets, and each dataset's `latest` link. The catalog says
 * what a folder holds, anew whenever its answer is no longer fresh; nothing of a version is read for it.
 */
import { LRUCache } from "lru-cache";

import { FileSystemError } from "../errno.js";
import { type Attributes, FileType, type Ino, ROOT_INO } from "../filesystem.js";
import type { AnswerMemory, CatalogFolder, CatalogVersion } from "../questions.js";
import { type Numbers, inoIn } from "./numbers.js";

/**
 * An answer is taken for true for a quarter of a second and the kernel keeps what it was told for 0.7 s: what changes
 * in the catalog shows within one.
 */
const FRESH_MS = 250;
const VALID_MS = 700;

/** What most file systems show for a small one. */
const FOLDER_BYTES = 4096;
/** Children of all the folders whose views are kept: some 50 MiB. */
const MOST_CHILDREN = 200_000;

const LATEST = "latest";

export interface Child {
  name: string;
  attributes: Attributes;
  /** What is to be opened when it is entered. */
  version?: CatalogVersion;
}

/** What a folder holds, in the order of inode numbers: a child keeps its place in listings when others come or go. */
export interface View {
  children: readonly Child[];
  byName: ReadonlyMap<string, Child>;
}

/** A folder, or a link with its target. */
interface Node {
  path: string;
  parent: Ino;
  attributes: Attributes;
  target?: string;
}

export class Folders {
  readonly #nodes = new Map<Ino, Node>();
  readonly #startedMs = Date.now();
  /** The last view of each folder, with the answer it was made of. */
  readonly #views = new LRUCache<Ino, { answer: CatalogFolder; view: View }>({
    maxSize: MOST_CHILDREN,
    sizeCalculation: ({ view }) => view.children.length + 1,
  });

  constructor(
    private readonly numbers: Numbers,
    private readonly answers: AnswerMemory,
    private readonly owner: { uid: number; gid: number },
  ) {
    const attributes = this.#folderAttributes(ROOT_INO);
    this.#nodes.set(ROOT_INO, { path: "", parent: ROOT_INO, attributes });
  }

  /** What a folder holds now. May throw `Missing`. @throws {FileSystemError} `ENOTDIR` */
  view(folder: Ino): View {
    const { path, target } = this.#node(folder);
    if (target !== undefined) throw new FileSystemError("ENOTDIR");
    const answer = this.answers.get({ about: "folder", path }, FRESH_MS);
    const known = this.#views.get(folder);
    if (known?.answer === answer) return known.view;
    const view = viewOf(this.#childrenOf(folder, path, answer));
    this.#views.set(folder, { answer, view });
    return view;
  }

  /** What a folder held when it was looked at last: for a listing that goes on. May throw `Missing`. */
  lastView(folder: Ino): View {
    return this.#views.get(folder)?.view ?? this.view(folder);
  }

  attributes(ino: Ino): Attributes {
    return this.#node(ino).attributes;
  }

  parent(folder: Ino): Ino {
    return this.#node(folder).parent;
  }

  target(link: Ino): string {
    const { target } = this.#node(link);
    if (target === undefined) throw new FileSystemError("EINVAL");
    return target;
  }

  /** How a version's own folder shows: as when it was completed. Its tree need not be open for that. */
  versionAttributes(slot: number, { completedAtMs }: CatalogVersion): Attributes {
    return this.#folderAttributes(inoIn(slot, ROOT_INO), completedAtMs);
  }

  #node(ino: Ino): Node {
    const node = this.#nodes.get(ino);
    if (!node) throw new FileSystemError("ESTALE");
    return node;
  }

  /** Where a dataset has the path of a project too, its versions and its link come before a dataset of such a name. */
  #childrenOf(parent: Ino, path: string, { folders, versions, latest }: CatalogFolder): Child[] {
    const below = (name: string) => (path === "" ? name : `${path}/${name}`);
    return [
      ...folders.map((folder) => this.#folder(parent, below(folder.name), folder)),
      ...versions.map((version) => this.#version(version)),
      ...(latest === undefined ? [] : [this.#link(parent, path, latest)]),
    ];
  }

  #folder(parent: Ino, path: string, { name, createdAtMs }: CatalogFolder["folders"][number]): Child {
    const ino = this.numbers.above(path);
    const attributes = this.#folderAttributes(ino, createdAtMs);
    this.#nodes.set(ino, { path, parent, attributes });
    return { name, attributes };
  }

  #version(version: CatalogVersion): Child {
    const attributes = this.versionAttributes(this.numbers.slot(version.id), version);
    return { name: version.label, attributes, version };
  }

  /** A link that leads elsewhere is another one: the kernel remembers where each leads. */
  #link(parent: Ino, path: string, target: string): Child {
    const ino = this.numbers.above(`${path}/${LATEST}\0${target}`);
    const attributes = this.#attributes(ino, FileType.symlink | 0o777, Date.now(), target.length);
    const node = this.#nodes.get(ino) ?? { path, parent, attributes, target };
    this.#nodes.set(ino, node);
    return { name: LATEST, attributes: node.attributes };
  }

  /** What has no time of its own is as old as the mount. */
  #folderAttributes(ino: Ino, changedAtMs = this.#startedMs): Attributes {
    return this.#attributes(ino, FileType.directory | 0o755, changedAtMs, FOLDER_BYTES);
  }

  #attributes(ino: Ino, mode: number, changedAtMs: number, sizeBytes: number): Attributes {
    const [sec, nsec] = [Math.floor(changedAtMs / 1000), (changedAtMs % 1000) * 1_000_000];
    const seconds = { atimeSec: sec, mtimeSec: sec, ctimeSec: sec };
    const times = { ...seconds, atimeNsec: nsec, mtimeNsec: nsec, ctimeNsec: nsec };
    const sizes = { sizeBytes, allocatedBytes: 0 };
    return { ino, mode, nlink: 1, ...this.owner, rdev: 0, ...sizes, ...times, validMs: VALID_MS };
  }
}

/** Of children of one name the last counts. */
function viewOf(children: readonly Child[]): View {
  const byName = new Map(children.map((child) => [child.name, child]));
  const inOrder = [...byName.values()].sort((a, b) => a.attributes.ino - b.attributes.ino);
  return { children: inOrder, byName };
}
