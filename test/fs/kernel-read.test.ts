/** A version mounted through the kernel, looked at with ordinary tools. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lstat, open, readFile, readdir, readlink, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { CAN_MOUNT, TIMEOUT, mountSample, sh } from "./support/mounted.js";
import { type SampleName, sample } from "./support/samples.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };

/** One mount for all tests that only look. */
const everything = CAN_MOUNT
  ? mountSample({ after }, "everything")
  : Promise.reject(new Error("cannot mount here"));
everything.catch(() => undefined); // The tests say so.

function contentOf(name: SampleName, path: string): Uint8Array {
  return sample(name).find((item) => item.path === path)!.content!;
}

test(
  "a mounted folder lists every name once, with bytes that are not UTF-8 and names of 255 bytes unchanged",
  OPTIONS,
  async () => {
    const { path } = await everything;
    const names = (await readdir(Buffer.from(join(path, "docs")), { encoding: "buffer" })).map((name) =>
      name.toString("latin1"),
    );
    const wanted = sample("everything").flatMap((item) =>
      item.path.startsWith("docs/") ? item.path.slice(5) : [],
    );
    assert.deepEqual(names.sort(), wanted.sort());
  },
);

test("a folder of 5,000 files lists each of them once", OPTIONS, async (t) => {
  const { path } = await mountSample(t, "folder5000");
  const names = await readdir(join(path, "many"));
  assert.equal(names.length, 5_000);
  assert.equal(new Set(names).size, 5_000);
});

test(
  "stat shows times to the nanosecond, also before 1970, and modes and sizes as stored",
  OPTIONS,
  async () => {
    const { path } = await everything;
    const show = (name: string) => sh(`stat -c '%s %a %.Y %F' "$1"`, join(path, name));
    assert.equal(await show("docs/hello.txt"), "6 644 1234567890.123456789 regular file\n");
    assert.equal(await show("docs/old"), "11 644 -4.000000001 regular file\n");
    assert.equal(await show("docs/run"), "19 755 1000000000.000000000 regular file\n");
    assert.equal(await show("docs/empty"), "0 600 1000000000.000000000 regular empty file\n");
    assert.equal(await readlink(join(path, "docs/to-hello")), "hello.txt");
  },
);

test("files read as stored: whole, from the middle, across chunks, beyond the end", OPTIONS, async () => {
  const { path } = await everything;
  const wanted = contentOf("everything", "big");
  assert.deepEqual(await readFile(join(path, "big")), wanted);
  const file = await open(join(path, "big"));
  try {
    const buffer = Buffer.alloc(3_000_000);
    const middle = await file.read(buffer, 0, buffer.length, 1_000_000);
    assert.deepEqual(buffer.subarray(0, middle.bytesRead), wanted.subarray(1_000_000, 4_000_000));
    const tail = await file.read(buffer, 0, 100, wanted.length - 23);
    assert.deepEqual(buffer.subarray(0, tail.bytesRead), wanted.subarray(-23));
    assert.equal((await file.read(buffer, 0, 100, wanted.length + 5)).bytesRead, 0);
  } finally {
    await file.close();
  }
});

test("cp -a makes an equal copy, hard links and attributes included", OPTIONS, async () => {
  const { path, scratch } = await everything;
  await sh(`cp -a "$1/." "$2/copy" && diff -r "$1" "$2/copy"`, path, scratch);
  const listing = `cd "$1" && find . ! -name . -printf '%y %m %T@ %l %n %p\\n' | sed 's/^d \\([0-9]*\\) \\(.*\\) [0-9]* /d \\1 \\2 - /' | sort`;
  assert.equal(await sh(listing, join(scratch, "copy")), await sh(listing, path));
  const xattr = `import os,sys; print(os.listxattr(sys.argv[1]), os.getxattr(sys.argv[1], "user.colour"))`;
  assert.equal(await sh(`python3 -c '${xattr}' "$1/copy/docs/marked"`, scratch), "['user.colour'] b'red'\n");
});

test("names that are hard links of one file share its inode and count its names", OPTIONS, async () => {
  const { path } = await everything;
  const facts = await Promise.all(["a", "b", "c"].map((name) => stat(join(path, "links", name))));
  assert.equal(new Set(facts.map(({ ino }) => ino)).size, 1);
  assert.deepEqual(
    facts.map(({ nlink }) => nlink),
    [3, 3, 3],
  );
});

test("a program is run from the mount, and a mapped file shows its bytes", OPTIONS, async () => {
  const { path } = await everything;
  assert.equal(await sh(`"$1/docs/run"`, path), "ran\n");
  const hash = `import hashlib,mmap,sys; f=open(sys.argv[1],"rb"); print(hashlib.sha256(mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ)).hexdigest())`;
  const wanted = createHash("sha256").update(contentOf("everything", "big")).digest("hex");
  assert.equal(await sh(`python3 -c '${hash}' "$1"`, join(path, "big")), `${wanted}\n`);
});

test("holes are found by SEEK_HOLE and take no room", OPTIONS, async () => {
  const { path } = await everything;
  const seek = `import os,sys; f=os.open(sys.argv[1],0); print(os.lseek(f,0,os.SEEK_HOLE), os.lseek(f,5000,os.SEEK_DATA))`;
  assert.equal(await sh(`python3 -c '${seek}' "$1"`, join(path, "sparse")), "4096 1048576\n");
  const { blocks, size } = await stat(join(path, "sparse"));
  assert.deepEqual({ blocks, size }, { blocks: 16, size: 1_048_576 + 4_096 });
});

test("user.varve.sha256 tells a file's hash and is not listed", OPTIONS, async () => {
  const { path } = await everything;
  const ask = `import os,sys; print(os.getxattr(sys.argv[1], "user.varve.sha256").decode(), os.listxattr(sys.argv[1]))`;
  const wanted = createHash("sha256").update("hello\n").digest("hex");
  assert.equal(await sh(`python3 -c '${ask}' "$1"`, join(path, "docs/hello.txt")), `${wanted} []\n`);
});

test("every kind of change is refused with EROFS", OPTIONS, async () => {
  const { path } = await everything;
  const changes = [
    'echo x >"$1/new"',
    'echo x >>"$1/docs/hello.txt"',
    'mkdir "$1/d"',
    'rm "$1/docs/hello.txt"',
    'mv "$1/docs/run" "$1/docs/walk"',
    'chmod 777 "$1/docs/run"',
    'ln -s x "$1/s"',
    'touch "$1/docs/run"',
  ];
  for (const change of changes) await assert.rejects(sh(change, path), /Read-only file system/, change);
});

test("all times of an entry are its mtime, whoever reads it", OPTIONS, async () => {
  const { path } = await everything;
  const times = `cd "$1" && cat docs/hello.txt docs/to-hello >/dev/null && ls docs >/dev/null &&
    stat -c '%.9X %.9Y %.9Z' docs/hello.txt docs/old && stat -c '%X %Y %Z' docs docs/to-hello | awk '$1 != $2 || $2 != $3'`;
  const [hello, old] = ["1234567890.123456789", "-4.000000001"];
  assert.equal(await sh(times, path), `${hello} ${hello} ${hello}\n${old} ${old} ${old}\n`);
});

test("a mount to read carries ro, nosuid and nodev", OPTIONS, async () => {
  const { path } = await everything;
  assert.match(await sh('grep -F " $1 " /proc/self/mounts', path), / ro,nosuid,nodev,/);
});

test("statfs shows the version's totals and no room", OPTIONS, async () => {
  const { path } = await everything;
  const { files, ffree, bfree, bsize, blocks } = await statfs(path);
  const contentBytes = sample("everything").reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
  assert.deepEqual(
    { files, ffree, bfree, blocks },
    { files: sample("everything").length + 1, ffree: 0, bfree: 0, blocks: Math.ceil(contentBytes / bsize) },
  );
});

test("a name that is not there is ENOENT, one through a file ENOTDIR", OPTIONS, async () => {
  const { path } = await everything;
  await assert.rejects(lstat(join(path, "nothing")), { code: "ENOENT" });
  await assert.rejects(lstat(join(path, "docs/run/x")), { code: "ENOTDIR" });
});
