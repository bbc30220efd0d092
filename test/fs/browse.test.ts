/** The file system of every version, without a mount: what it asks for, and what it keeps. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { type LocalBlocks, Missing } from "../../src/cache/block.js";
import type { RemoteId } from "../../src/content/chunk.js";
import { browseFileSystem } from "../../src/fs/browse/browse.js";
import { type FileSystem, ROOT_INO } from "../../src/fs/filesystem.js";
import { AnswerMemory, type CatalogFolder, Unanswered, keyOfQuestion } from "../../src/fs/questions.js";
import { rangeLoader } from "../../src/fs/range-loader.js";
import { memoryRemote } from "../support/memory-remote.js";
import { putVersion } from "./support/version.js";

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;
const NOTHING: CatalogFolder = { folders: [], versions: [], latest: undefined };

/** A catalog whose datasets hold the same two versions, and the file system over it. */
class Fixture {
  /** Questions and blocks asked for, in order. */
  readonly asked: string[] = [];
  readonly fileSystem: FileSystem;
  readonly #answers = new AnswerMemory();
  readonly #here = new Map<string, Uint8Array>();

  private constructor(
    private readonly folders: Readonly<Record<string, CatalogFolder>>,
    private readonly stores: ReadonlyMap<string, Uint8Array>,
  ) {
    const blocks: LocalBlocks = { copy: () => false, get: (hash) => this.#here.get(hash) };
    const load = rangeLoader(blocks);
    const supplied = { blocks, answers: this.#answers, prefetch: () => undefined, load };
    this.fileSystem = browseFileSystem({ uid: 0, gid: 0, preserveOwner: false }, supplied);
  }

  static async open(): Promise<Fixture> {
    const stores = new Map<string, Uint8Array>();
    const versions = [];
    for (const label of ["1.0.0", "1.0.1"]) {
      const remote = memoryRemote();
      const root = await putVersion(remote, REMOTE, [{ path: "f", content: Buffer.from(label) }]);
      for (const [key, bytes] of remote.objects) stores.set(key === root.key ? root.hash : key, bytes);
      versions.push({ id: label, label, reference: `p/d@${label}`, completedAtMs: 5_000, root });
    }
    const folder = (name: string) => ({ name, createdAtMs: undefined });
    const dataset = { folders: [folder("1.0.0"), folder("inner")], versions, latest: "1.0.1" };
    const [top, project] = [folder("p"), folder("d")].map((only) => ({ ...NOTHING, folders: [only] }));
    return new Fixture({ "": top!, p: project!, "p/d": dataset }, stores);
  }

  /** Runs an operation as a mount does. */
  complete<T>(operation: (fileSystem: FileSystem) => T): T {
    for (;;) {
      try {
        return operation(this.fileSystem);
      } catch (missing) {
        if (!(missing instanceof Missing)) throw missing;
        this.#supply(missing);
      }
    }
  }

  /** The inode of a path, each name of which is looked up. */
  walk(path: string): number {
    const step = (parent: number, name: string) =>
      this.complete((fileSystem) => fileSystem.lookup(parent, name)!.ino);
    return path.split("/").reduce(step, ROOT_INO);
  }

  #supply(missing: Missing): void {
    if (missing instanceof Unanswered) {
      const { question } = missing;
      this.asked.push(question.about === "folder" ? `folder ${question.path}` : question.about);
      const answer = question.about === "folder" ? (this.folders[question.path] ?? NOTHING) : {};
      this.#answers.put(keyOfQuestion(question), answer);
    }
    for (const { hash, key } of missing.blocks) {
      this.asked.push(key.replace(/\/.*/, ""));
      this.#here.set(hash, this.stores.get(hash) ?? this.stores.get(key)!);
    }
  }

  /** Forgets the blocks that came, so that what is opened anew asks for them anew. */
  drop(): void {
    this.#here.clear();
    this.asked.length = 0;
  }
}

test("nothing of a version is asked for before it is entered", async () => {
  const fixture = await Fixture.open();
  const version = fixture.walk("p/d/1.0.0");
  fixture.complete((fileSystem) => fileSystem.getattr(version));
  assert.deepEqual(fixture.asked, ["folder ", "folder p", "folder p/d"]);
  fixture.complete((fileSystem) => fileSystem.lookup(version, "f"));
  assert.deepEqual(fixture.asked.slice(3), ["roots", "ranges"]);
});

test("a version comes before a dataset that is named like its label", async () => {
  const fixture = await Fixture.open();
  const names: string[] = [];
  const dataset = fixture.walk("p/d");
  fixture.complete((fileSystem) => fileSystem.readdir(dataset, 0, (name) => names.push(name) > 0));
  assert.deepEqual(names.sort(), [".", "..", "1.0.0", "1.0.1", "inner", "latest"]);
  assert.ok(fixture.walk("p/d/1.0.0/f"));
});

test("inode numbers differ between versions and stay when a tree is forgotten and entered again", async () => {
  const fixture = await Fixture.open();
  const paths = ["p/d/1.0.0/f", "p/d/1.0.1/f", "p/d/1.0.0/.varve", "p/d/1.0.1/.varve"];
  const before = paths.map((path) => fixture.walk(path));
  assert.equal(new Set(before).size, paths.length);
  assert.ok(before.every(Number.isSafeInteger));
  const folders = ["p/d/1.0.0", "p/d/1.0.1"].map((path) => fixture.walk(path));
  for (const folder of folders) fixture.fileSystem.forget(folder, 3);
  fixture.drop();
  assert.deepEqual(
    paths.map((path) => fixture.walk(path)),
    before,
  );
  assert.ok(fixture.asked.includes("roots"), "the tree was closed");
});

test("a tree stays open while the kernel knows its folder", async () => {
  const fixture = await Fixture.open();
  const file = fixture.walk("p/d/1.0.0/f");
  const folder = fixture.walk("p/d/1.0.0");
  fixture.fileSystem.forget(folder, 1);
  fixture.drop();
  assert.equal(fixture.complete((fileSystem) => fileSystem.getattr(file)).sizeBytes, 5);
  assert.deepEqual(fixture.asked, []);
});

test("a listing goes on where it stopped", async () => {
  const fixture = await Fixture.open();
  const dataset = fixture.walk("p/d");
  const names: string[] = [];
  let cookie = 0;
  for (let before = -1; before < names.length;) {
    before = names.length;
    let room = 2;
    fixture.complete((fileSystem) =>
      fileSystem.readdir(dataset, cookie, (name, _attributes, next) => {
        if (room-- === 0) return false;
        names.push(name);
        cookie = next;
        return true;
      }),
    );
  }
  assert.deepEqual(names, [".", "..", "1.0.0", "inner", "latest", "1.0.1"].sort(byInode(fixture)));

  function byInode({ fileSystem }: Fixture) {
    const inoOf = (name: string) => (name.startsWith(".") ? 0 : fileSystem.lookup(dataset, name)!.ino);
    return (a: string, b: string) => inoOf(a) - inoOf(b);
  }
});
