/**
 * From the paths that libfuse speaks in to inodes. Every inode looked up is held until the walk is over, then let go,
 * as the kernel would: that is how a file system learns that a removed file is no longer needed.
 */
import { bytesOfText } from "../../../paths.js";
import { FileSystemError } from "../../errno.js";
import { type Attributes, type FileSystem, type Ino, ROOT_INO } from "../../filesystem.js";

/** A directory and a name in it, there or not. */
export type Place = readonly [parent: Ino, name: string];

/** Runs `use` with a walk and lets go of what it held, however `use` ends. */
export function walking<T>(fileSystem: FileSystem, use: (walk: Walk) => T): T {
  const walk = new Walk(fileSystem);
  try {
    return use(walk);
  } finally {
    walk.letGo();
  }
}

export class Walk {
  readonly #held: Ino[] = [];

  constructor(private readonly fileSystem: FileSystem) {}

  /** What lies at an absolute path. @throws {FileSystemError} `ENOENT` */
  at(path: string): Attributes {
    const names = namesOf(path);
    const last = names.pop();
    return last === undefined ? this.fileSystem.getattr(ROOT_INO) : this.#child(this.#directory(names), last);
  }

  /** Where a path lies, whether or not it is there. @throws {FileSystemError} `ENOENT` for its directory */
  place(path: string): Place {
    const names = namesOf(path);
    const name = names.pop() ?? "";
    return [this.#directory(names), name];
  }

  /** As `place`; what lies there, if anything does, is held while its name is taken away. */
  heldPlace(path: string): Place {
    const place = this.place(path);
    this.#lookup(place);
    return place;
  }

  /** Holds what was just made, which counts as looked up. */
  made({ ino }: Attributes): void {
    this.#held.push(ino);
  }

  /** Holds all it came by beyond the walk: these are the caller's to `forget`, each once. */
  keep(): Ino[] {
    return this.#held.splice(0);
  }

  letGo(): void {
    for (const ino of this.#held.splice(0)) this.fileSystem.forget(ino, 1);
  }

  #lookup(place: Place): Attributes | undefined {
    const found = this.fileSystem.lookup(...place);
    if (found) this.#held.push(found.ino);
    return found;
  }

  #child(...place: Place): Attributes {
    const found = this.#lookup(place);
    if (!found) throw new FileSystemError("ENOENT");
    return found;
  }

  #directory(names: readonly string[]): Ino {
    return names.reduce<Ino>((parent, name) => this.#child(parent, name).ino, ROOT_INO);
  }
}

function namesOf(path: string): string[] {
  return bytesOfText(path)
    .split("/")
    .filter((name) => name !== "");
}
