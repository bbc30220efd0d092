/** What people ask wrongly, and what disks give back wrongly: a clear message, the right exit code, nothing lost. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Dataset } from "../../src/dataset/dataset.js";
import { noise } from "../content/noise.js";
import { describeFolder } from "../dataset/support/folders.js";
import { onlyOnSqlite } from "../support/catalog-place.js";
import { tempDir } from "../support/temp.js";
import { type Answer, type Varve, varveUser } from "../support/varve.js";
import { DATASET, MOUNTED, asking, labelsOf, mountWritable, sh, userWith } from "./support/mounted.js";

const FILES = { "a.txt": "a", "sub/b.txt": "b" };

/** What was refused: its exit code, and one line on standard error that matches. */
function assertRefused(args: readonly string[], answer: Answer, code: number, words: RegExp): void {
  const what = `varve ${args.join(" ")}`;
  assert.deepEqual([what, answer.code, answer.stdout], [what, code, ""], answer.stderr);
  assert.match(answer.stderr, words, what);
  assert.match(answer.stderr, /^varve: [^\n]+\n$/, `${what}: one line, no stack`);
}

const WRONG: readonly [args: string[], code: number, words: RegExp][] = [
  [["frobnicate"], 2, /frobnicate/],
  [["mount"], 2, /Not enough/],
  [["ls", DATASET, "--sideways"], 2, /sideways/],
  [["create", "no-project"], 2, /"no-project".*PROJECT\/NAME/],
  [["create", DATASET, "--version", "banana"], 2, /"banana".*"1\.2\.3"/],
  [["ls", DATASET, "--cache-size", "lots"], 2, /"lots".*10GiB/],
  [["mount", DATASET, "/tmp", "--deadline", "soon"], 2, /--deadline/],
  [["recover", "--commit", "--discard"], 2, /exclusive/],
  [["ls", DATASET, "../elsewhere"], 2, /"\.\."/],
  [["sync", ".", DATASET, "--to", "x/../../y"], 2, /"\.\."/],
  [["ls", `${DATASET}@7.0.0`], 3, /"lab\/data@7\.0\.0".*varve versions lab\/data/],
  [["ls", "lab/nowhere"], 3, /"lab\/nowhere"/],
  [["cat", DATASET, "nowhere.txt"], 3, /"nowhere\.txt"/],
  [["unmount", "/"], 3, /Cannot find a mount at "\/"/],
  [["recover", "--commit"], 3, /nothing is uncommitted/],
  [["create", DATASET, "--version", "1"], 4, /"1".*1\.0\.0/],
];

test("wrong usage is told in one line with its exit code, and changes nothing", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  for (const [args, code, words] of WRONG) assertRefused(args, await varve(args), code, words);
  assert.deepEqual(await labelsOf(varve), ["1.0.0"]);
});

test("a folder that cannot be mounted on is refused, and why", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const folder = await tempDir(t);
  const mount = await mountWritable(t, varve);
  const at = (name: string) => join(folder, name);
  writeFileSync(at("file"), "");
  const refused: [string, RegExp][] = [
    [at("missing"), /there is no such folder/],
    [at("file"), /it is not a folder/],
    [folder, /the folder is not empty/],
    [mount.path, /something is mounted there already/],
  ];
  for (const [path, words] of refused)
    for (const options of [[], ["--writable"]]) {
      const args = ["mount", DATASET, path, ...options];
      assertRefused(args, await varve(args), 4, words);
    }
  await varve.ok(["unmount", mount.path]);
});

test("paths with `..`, a NUL byte or a name of 300 bytes do not enter a version", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const source = await tempDir(t);
  writeFileSync(join(source, "f"), "");
  await asking(varve, async (workspace) => {
    const draft = await Dataset.create(DATASET, { workspace });
    for (const to of ["a/../../b", "a\0b", "n".repeat(300)])
      await assert.rejects(
        draft.addFiles(source, { to }),
        { code: "bad-input" },
        JSON.stringify(to.slice(0, 9)),
      );
    draft.close();
  });
  const mount = await mountWritable(t, varve);
  const long = join(mount.path, "n".repeat(300));
  assert.throws(() => writeFileSync(long, ""), { code: "ENAMETOOLONG" });
  assert.throws(() => renameSync(join(mount.path, "a.txt"), long), { code: "ENAMETOOLONG" });
  const { committed } = (await varve.ok(["unmount", mount.path, "--json"])).json() as { committed: unknown };
  assert.equal(committed, null);
});

/** Flips a byte in the middle of each object below a prefix, and back when it is called again. */
function damage(varve: Varve, prefix: string): void {
  const root = join(varve.home, "remote", prefix);
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const path = join(root, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 0xff;
    writeFileSync(path, bytes);
  }
}

test(
  "a damaged root, range or pack is told, never passed on, and heals when it is mended",
  MOUNTED,
  async (t) => {
    const content = noise("content", 300_000);
    const varve = await userWith(t, { ...FILES, "noise.bin": content });
    const path = await tempDir(t);
    const withoutCache = () => rmSync(join(varve.home, "cache"), { recursive: true, force: true });
    const cat = ["cat", DATASET, "noise.bin"];
    for (const prefix of ["roots", "ranges", "packs"]) {
      damage(varve, prefix);
      withoutCache();
      assertRefused(
        cat,
        await varve(cat),
        1,
        new RegExp(`Cannot use "${prefix}/.*it should be \\w{64} and is`),
      );
      if (prefix !== "roots") {
        await varve.ok(["mount", DATASET, path]);
        assert.throws(() => readFileSync(join(path, "noise.bin")), { code: "EIO" }, prefix);
        damage(varve, prefix);
        assert.deepEqual(readFileSync(join(path, "noise.bin")), content, prefix);
        await varve.ok(["unmount", path]);
      } else {
        assertRefused(["mount"], await varve(["mount", DATASET, path]), 1, /roots\//);
        damage(varve, prefix);
      }
    }
  },
);

test(
  "a damaged index segment stops a commit and no reader; the commit is made when it is mended",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, FILES);
    damage(varve, "segments");
    rmSync(join(varve.home, "cache"), { recursive: true });
    const mount = await mountWritable(t, varve);
    assert.equal(readFileSync(join(mount.path, "a.txt"), "utf8"), "a");
    writeFileSync(join(mount.path, "new.txt"), "new");
    const refused = await varve(["unmount", mount.path]);
    assert.deepEqual([refused.code, /segments\//.test(refused.stderr)], [5, true]);
    damage(varve, "segments");
    await varve.ok(["recover", "--commit"]);
    assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1"]);
  },
);

test("a damaged version record is told by who has to read it", MOUNTED, async (t) => {
  const one = await userWith(t, FILES);
  const two = await varveUser(t, { VARVE_REMOTE: join(one.home, "remote") });
  const args = ["ls", DATASET];
  const [record] = (await sh('find "$1/remote/datasets" -name 1.0.0', one.home)).split("\n");
  const whole = readFileSync(record!);
  writeFileSync(record!, whole.subarray(0, whole.length / 2));
  assertRefused(args, await two(args), 1, /datasets\/.*damaged/);
  assert.equal((await one.ok(args)).stdout, "a.txt\nsub\n", "who knows the version needs no record");
  writeFileSync(record!, whole);
  assert.equal((await two.ok(args)).stdout, "a.txt\nsub\n");
});

const ON_A_FILE = { ...MOUNTED, skip: MOUNTED.skip || onlyOnSqlite("damaged file") };

test("a damaged catalog is told, left as it is, and stops no recovery list", ON_A_FILE, async (t) => {
  const varve = await userWith(t, FILES);
  const path = join(varve.home, "catalog.db");
  const whole = readFileSync(path);
  const damaged = whole.map((byte, index) => (index % 7 === 0 ? byte ^ 0x55 : byte));
  writeFileSync(path, damaged);
  for (const args of [
    ["ls", DATASET],
    ["versions"],
    ["mount", DATASET, await tempDir(t)],
    ["create", "lab/other"],
  ])
    assertRefused(args, await varve(args), 1, /Cannot use the catalog ".*catalog\.db".*damaged/);
  assert.deepEqual(readFileSync(path), Buffer.from(damaged));
  assert.deepEqual((await varve.ok(["status", "--json"])).json(), []);
  writeFileSync(path, whole);
  assert.deepEqual(await labelsOf(varve), ["1.0.0"]);
});

test(
  "names that are not UTF-8 go through sync, mounts, cp, commit and --json unchanged",
  MOUNTED,
  async (t) => {
    const varve = await varveUser(t);
    const [source, path, copy] = [await tempDir(t), await tempDir(t), await tempDir(t)];
    const at = (folder: string, name: string) =>
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);
    mkdirSync(at(source, "d\xff"));
    writeFileSync(at(source, "d\xff/f\xfe\x80.txt"), "not UTF-8");
    await sh('ln -s "$(printf "t\\360")" "$1/l"', source);
    await varve.ok(["sync", source, DATASET]);
    await varve.ok(["mount", "--writable", DATASET, path]);
    await sh('cp -a "$1/." "$2"', path, copy);
    assert.deepEqual(describeFolder(copy), describeFolder(source));
    renameSync(at(path, "d\xff"), at(path, "e\xff"));
    writeFileSync(at(path, "new\xc3"), "new");
    await varve.ok(["unmount", path]);
    const listed = (await varve.ok(["ls", DATASET, "--recursive", "--json"])).json() as { path: unknown }[];
    const bytes = (name: string) => ({ bytes: Buffer.from(name, "latin1").toString("base64") });
    assert.deepEqual(
      listed.map((entry) => entry.path),
      [bytes("e\xff"), bytes("e\xff/f\xfe\x80.txt"), "l", bytes("new\xc3")],
    );
    await varve.ok(["mount", DATASET, path]);
    assert.equal(readFileSync(at(path, "e\xff/f\xfe\x80.txt"), "utf8"), "not UTF-8");
    await varve.ok(["unmount", path]);
  },
);
