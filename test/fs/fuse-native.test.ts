import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { closeSync, existsSync, open as openFile, openSync, write } from "node:fs";
import { mkdir, open, readFile, readdir, readlink, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { errnoOf } from "../../src/errors.js";
import type { Scope } from "../support/cleanup.js";
import { mountsBelow } from "../support/mounts.js";
import { type TestProcess, startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { CAN_MOUNT, TIMEOUT, sh } from "./support/mounted.js";
import { bytesOf, sample } from "./support/samples.js";
import type { ServeFuseNativeOptions } from "./support/serve-fuse-native.js";

const PROGRAM = fileURLToPath(new URL("./support/serve-fuse-native.js", import.meta.url));
const OPTIONS = { ...TIMEOUT, skip: CAN_MOUNT ? false : "mounting needs Linux and root" };

interface Mounted {
  path: string;
  server: TestProcess;
  tell: (command: string) => void;
}

async function mountThrough(scope: Scope, options: Partial<ServeFuseNativeOptions> = {}): Promise<Mounted> {
  const folder = await tempDir(scope);
  const path = join(folder, "mnt, with comma $(false)");
  await Promise.all([mkdir(path), mkdir(join(folder, "cache"), { mode: 0o700 })]);
  const defaults: ServeFuseNativeOptions = {
    mountpoint: path,
    folder,
    sample: "everything",
    writable: false,
    latencyMs: 0,
  };
  const server = startNode(scope, PROGRAM, [JSON.stringify({ ...defaults, ...options })]);
  await server.saying(/^mounted$/m);
  return { path, server, tell: (command) => void server.child.stdin.write(`${command}\n`) };
}

/** Unmounts, and what the server said at its end. */
async function endOf({ server, tell }: Mounted, command = "unmount"): Promise<unknown> {
  tell(command);
  const { code, stdout, stderr } = await server.ended;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  return JSON.parse(/^ended (.*)$/m.exec(stdout)?.[1] ?? "null");
}

/** The connection is gone, and `close` says so. */
function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch (error) {
    assert.match(errnoOf(error) ?? "", /ENOTCONN|ECONNABORTED/);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("through fuse-native a version lists, reads and links as it was stored", OPTIONS, async (t) => {
  const mounted = await mountThrough(t);
  const at = (name: string) => join(mounted.path, name);
  assert.deepEqual((await readdir(mounted.path)).sort(), ["big", "docs", "links", "sparse"]);
  assert.equal(await readFile(at("docs/hello.txt"), "latin1"), "hello\n");
  assert.equal(await readlink(at("docs/to-hello")), "hello.txt");
  assert.equal(await readFile(at("docs/with space\nand line"), "latin1"), "odd");
  const big = sample("everything").find(({ path }) => path === "big")?.content;
  assert.equal(sha256(await readFile(at("big"))), sha256(big!));
  assert.deepEqual(await endOf(mounted), { aborted: false, unflushedHandles: 0 });
});

test(
  "through fuse-native times are whole milliseconds, and one before 1970 shows as 1970",
  OPTIONS,
  async (t) => {
    const { path } = await mountThrough(t);
    const { mtimeMs, mode, nlink } = await stat(join(path, "docs/hello.txt"));
    assert.deepEqual([mtimeMs, mode, nlink], [1_234_567_890_123, 0o100644, 1]);
    assert.equal((await stat(join(path, "docs/old"))).mtimeMs, 0);
  },
);

test(
  "through fuse-native a name that is not UTF-8 is left out, with one line in the log",
  OPTIONS,
  async (t) => {
    const mounted = await mountThrough(t);
    const names = await sh('ls "$1"; ls "$1"', join(mounted.path, "docs"));
    assert.ok(!names.includes("\xff"), names);
    await endOf(mounted);
    const lines = (await mounted.server.ended).stdout.match(/names that are not UTF-8.*/g);
    assert.deepEqual(lines?.length, 1);
  },
);

test(
  "through fuse-native extended attributes of users are shown and others are not supported",
  OPTIONS,
  async (t) => {
    const { path } = await mountThrough(t);
    const python = `import os, sys, errno
f = sys.argv[1]
print(os.listxattr(f), os.getxattr(f, "user.colour"))
for name in ["user.none", "trusted.x"]:
    try: os.getxattr(f, name)
    except OSError as e: print(errno.errorcode[e.errno])`;
    const said = await sh('python3 -c "$1" "$2"', python, join(path, "docs/marked"));
    assert.equal(said, "['user.colour'] b'red'\nENODATA\nENOTSUP\n");
  },
);

test("through fuse-native a version mounted to be read refuses every change", OPTIONS, async (t) => {
  const { path } = await mountThrough(t);
  const codes = await Promise.all(
    [
      writeFile(join(path, "new"), "x"),
      open(join(path, "docs/hello.txt"), "r+"),
      rm(join(path, "big")),
      mkdir(join(path, "folder")),
      rename(join(path, "big"), join(path, "bigger")),
    ].map((change) => change.then(() => "done", errnoOf)),
  );
  assert.deepEqual(codes, ["EROFS", "EROFS", "EROFS", "EROFS", "EROFS"]);
});

test("through fuse-native what is missing is fetched while others are served", OPTIONS, async (t) => {
  const { path } = await mountThrough(t, { sample: "folder5000", latencyMs: 20 });
  const names = await readdir(join(path, "many"));
  assert.equal(names.length, 5_000);
  const some = names.filter((_, index) => index % 500 === 0);
  const contents = await Promise.all(some.map((name) => readFile(join(path, "many", name))));
  const expected = some.map((name) => bytesOf(`file ${Number(name)}`, 32));
  assert.deepEqual(contents, expected);
});

test("through fuse-native a mount taken away by umount ends its server", OPTIONS, async (t) => {
  const { path, server } = await mountThrough(t);
  await sh('umount "$1"', path);
  const { code, stdout } = await server.ended;
  assert.equal(code, 0);
  assert.match(stdout, /^ended {"aborted":false,"unflushedHandles":0}$/m);
});

test("through fuse-native a mount in use is not taken away, but lazily it is", OPTIONS, async (t) => {
  const mounted = await mountThrough(t);
  const file = openSync(join(mounted.path, "docs/hello.txt"), "r");
  t.after(() => closeQuietly(file));
  mounted.tell("unmount");
  await mounted.server.saying(/^failed "Cannot unmount /m);
  assert.deepEqual(await endOf(mounted, "lazy"), { aborted: false, unflushedHandles: 0 });
  assert.deepEqual(mountsBelow(mounted.path), []);
});

test("through fuse-native a writable mount takes changes made with ordinary tools", OPTIONS, async (t) => {
  const mounted = await mountThrough(t, { writable: true });
  const script = `set -e; cd "$1"
    echo new >fresh; echo more >>docs/hello.txt; printf J | dd of=docs/hello.txt conv=notrunc status=none
    mkdir -p a/b; rm docs/with*; mv docs/run a/b/ran; ln -s ran a/b/link; ln fresh second; rm docs/marked; rm -r links
    chmod 640 fresh; truncate -s 3 docs/old; touch -d @1000000000.5 second; cp big copy; cmp big copy
    find . | LC_ALL=C sort; cat fresh docs/hello.txt docs/old; stat -c '%a %h %s %Y' fresh second; readlink a/b/link`;
  const folder = ["./a", "./a/b", "./a/b/link", "./a/b/ran"];
  const docs = ["empty", "hello.txt", "n".repeat(255), "old", "to-hello"].map((name) => `./docs/${name}`);
  const listing = [".", ...folder, "./big", "./copy", "./docs", ...docs, "./fresh", "./second", "./sparse"];
  const contents = ["new", "Jello", "more", "bef640 2 4 1000000000", "640 2 4 1000000000", "ran"];
  assert.deepEqual((await sh(script, mounted.path)).trimEnd().split("\n"), [...listing, ...contents]);
  assert.deepEqual(await endOf(mounted), { aborted: false, unflushedHandles: 0 });
});

test("through fuse-native a file removed while open is read on, and is in no listing", OPTIONS, async (t) => {
  const mounted = await mountThrough(t, { writable: true });
  const file = await open(join(mounted.path, "docs/hello.txt"), "r+");
  await rm(join(mounted.path, "docs/hello.txt"));
  await file.write("Y", 0);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(10), 0, 10, 0);
  assert.equal(buffer.toString("latin1", 0, bytesRead), "Yello\n");
  const names = await sh('ls -a "$1"', join(mounted.path, "docs"));
  assert.ok(!/hello\.txt|fuse_hidden/.test(names.replace("to-hello", "")), names);
  await file.close();
  assert.deepEqual(await endOf(mounted), { aborted: false, unflushedHandles: 0 });
});

test("through fuse-native a mount cut off by force says what was open for writing", OPTIONS, async (t) => {
  const mounted = await mountThrough(t, { writable: true });
  const file = await promisify(openFile)(join(mounted.path, "fresh"), "w");
  t.after(() => closeQuietly(file));
  await promisify(write)(file, Buffer.from("bytes"));
  assert.deepEqual(await endOf(mounted, "force"), { aborted: true, unflushedHandles: 1 });
});

test("through fuse-native a server that is killed leaves no mount behind", OPTIONS, async (t) => {
  const { path, server } = await mountThrough(t);
  await server.kill();
  while (mountsBelow(path).length > 0) await sleep(20);
  assert.ok(existsSync(path));
});
