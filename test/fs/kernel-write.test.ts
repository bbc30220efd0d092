/** A writable mount through the kernel: each request that changes something, made with ordinary calls. */
import assert from "node:assert/strict";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { startProcess } from "../support/processes.js";
import { CAN_MOUNT, TIMEOUT, mountWritable, python, sh } from "./support/mounted.js";
import { sample } from "./support/samples.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };

/** One mount for the tests that change different files of it. */
const writable = CAN_MOUNT
  ? mountWritable({ after }, "everything")
  : Promise.reject(new Error("cannot mount here"));
writable.catch(() => undefined); // The tests say so.

test("a file is made, appended to, truncated and read back", OPTIONS, async () => {
  const { path } = await writable;
  assert.equal(
    await sh('cd "$1" && printf 12345 >new && printf 67 >>new && truncate -s 6 new && cat new', path),
    "123456",
  );
});

test("a base file is changed in the middle and keeps the rest", OPTIONS, async () => {
  const { path } = await writable;
  await sh('printf CHANGED | dd of="$1/big" bs=1 seek=1500000 conv=notrunc 2>/dev/null', path);
  const wanted = Buffer.from(sample("everything").find((item) => item.path === "big")!.content!);
  wanted.write("CHANGED", 1_500_000);
  await sh('sync -f "$1"; echo 1 >/proc/sys/vm/drop_caches', path);
  assert.ok(wanted.equals(await readFile(join(path, "big"))));
});

test(
  "folders, symbolic and hard links, fifos and names of any bytes are made and removed",
  OPTIONS,
  async () => {
    const { path } = await writable;
    const line = `cd "$1" && mkdir -p tree/a/b && ln -s ../x tree/a/sym && echo hi >tree/f && ln tree/f tree/g && mkfifo tree/p &&
    : >"tree/$(printf '\\377')" && ls tree | wc -l && readlink tree/a/sym && stat -c '%h %F' tree/g tree/p && rm -r tree && ls -d tree 2>&1 || true`;
    const said = await sh(line, path);
    assert.match(said, /^5\n\.\.\/x\n2 regular file\n1 fifo\nls: cannot access 'tree'/);
  },
);

test("data and holes of a file that is still being written are found", OPTIONS, async () => {
  const { path } = await writable;
  const said = await python(
    `
import os, sys
fd = os.open(sys.argv[1] + "/sought", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"x" * 4096, 1 << 20)
print(os.lseek(fd, 0, os.SEEK_DATA), os.lseek(fd, 1 << 20, os.SEEK_HOLE))
os.pwrite(fd, b"x" * 4096, 0)
print(os.lseek(fd, 0, os.SEEK_DATA), os.lseek(fd, 0, os.SEEK_HOLE))
`,
    path,
  );
  assert.equal(said, "1048576 1052672\n0 4096\n");
});

test("renaming replaces, refuses to replace, and exchanges", OPTIONS, async () => {
  const { path } = await writable;
  const said = await python(
    `
import ctypes, os, sys
os.chdir(sys.argv[1]); libc = ctypes.CDLL(None, use_errno=True)
def put(name, text): open(name, "w").write(text)
def get(name): return open(name).read()
def rename2(a, b, flags): return 0 if libc.renameat2(-100, a, -100, b, flags) == 0 else ctypes.get_errno()
put("r1", "1"); put("r2", "2"); os.rename("r1", "r2"); print(os.path.exists("r1"), get("r2"))
put("r1", "3"); print(rename2(b"r1", b"r2", 1), rename2(b"r1", b"r2", 2), get("r1"), get("r2"))
os.mkdir("d1"); put("d1/in", "x"); os.rename("d1", "d2"); print(get("d2/in"))
`,
    path,
  );
  assert.equal(said, "False 1\n17 0 1 3\nx\n");
});

test(
  "modes, owners and times are set to the nanosecond, and a change of owner takes set-uid away",
  OPTIONS,
  async () => {
    const { path } = await writable;
    const line = `cd "$1" && : >m && chmod 4755 m && touch -d '1969-12-31 23:59:58.123456789 UTC' m && stat -c '%a %.Y' m && chown 12:34 m && stat -c '%a %u %g' m`;
    assert.equal(await sh(line, path), "4755 -1.876543211\n755 12 34\n");
  },
);

test(
  "a change of owner takes set-uid away from a fifo too, and so does one that changes nothing",
  OPTIONS,
  async () => {
    const { path } = await writable;
    assert.equal(
      await python(
        'import os, sys; f = sys.argv[1] + "/own"; open(f, "w"); os.chmod(f, 0o4755); os.chown(f, -1, -1); print(oct(os.stat(f).st_mode))',
        path,
      ),
      "0o100755\n",
    );
    assert.equal(
      await sh('cd "$1" && mkfifo p && chmod 6700 p && chown 12:34 p && stat -c %a p; rm p', path),
      "2700\n",
    );
  },
);

test("holes are told of what was written and not closed yet", OPTIONS, async () => {
  const { path } = await writable;
  const said = await python(
    `
import os, sys
os.chdir(sys.argv[1]); f = os.open("unwritten", os.O_RDWR | os.O_CREAT)
os.pwrite(f, b"x" * 4096, 0); os.pwrite(f, b"y" * 4096, 1 << 20)
print(os.lseek(f, 0, os.SEEK_DATA), os.lseek(f, 1 << 20, os.SEEK_DATA) - (1 << 20), os.lseek(f, 1 << 20, os.SEEK_HOLE) - (1 << 20))
print(os.lseek(f, 0, os.SEEK_HOLE) < 1 << 20, os.pread(f, 1, 1 << 20))
`,
    path,
  );
  assert.equal(said, "0 0 4096\nTrue b'y'\n");
});

test(
  "access and change times are set one without the other, and chown takes set-uid off a fifo too",
  OPTIONS,
  async () => {
    const { path } = await writable;
    const line = `cd "$1" && mkfifo p && chmod 4755 p && : >both && : >n && ln -s both l
    touch -d @1000000000.25 both p && touch -h -d @1000000000.25 l && touch -a -d @2000000000.5 both p && touch -ha -d @2000000000.5 l
    chown 12:34 p && stat -c '%a %.X %.Y' both p && stat -c '%.X %.Y' l && [ -n "$(find . -name both -anewer n)" ] && echo later`;
    const times = "2000000000.500000000 1000000000.250000000";
    assert.equal(await sh(line, path), `644 ${times}\n755 ${times}\n${times}\nlater\n`);
  },
);

test("a write without privileges takes set-uid away, and so does fallocate", OPTIONS, async () => {
  const { path } = await writable;
  await sh('cd "$1" && echo x >s && chmod 4777 s', path);
  await sh(
    `setpriv --clear-groups --inh-caps=-all --bounding-set=-all sh -c 'echo y >>"$1/s"' sh "$1"`,
    path,
  );
  assert.equal(((await stat(join(path, "s"))).mode & 0o7777).toString(8), "777");
  const program = `
import ctypes, os, sys
os.chdir(sys.argv[1]); os.chmod("s", 0o4777); ours = os.open("s", os.O_RDWR)
os.posix_fallocate(ours, 0, 100); print(oct(os.stat("s").st_mode))
ctypes.CDLL(None).setfsuid(65534); os.posix_fallocate(ours, 0, 200); print(oct(os.stat("s").st_mode))
`;
  assert.equal(await python(program, path), "0o104777\n0o100777\n");
});

test(
  "extended attributes are set, listed, refused and removed by the rules of setxattr(2)",
  OPTIONS,
  async () => {
    const { path } = await writable;
    const said = await python(
      `
import errno, os, sys
os.chdir(sys.argv[1]); open("x", "w").close()
def fails(call, *args):
    try: call(*args)
    except OSError as e: return errno.errorcode[e.errno]
os.setxattr("x", "user.a", b"1"); os.setxattr("x", "user.b", b""); os.setxattr("x", "user.big", b"z" * 65536)
print(sorted(os.listxattr("x")), os.getxattr("x", "user.a"), len(os.getxattr("x", "user.big")))
print(fails(os.setxattr, "x", "user.a", b"2", os.XATTR_CREATE), fails(os.setxattr, "x", "user.n", b"2", os.XATTR_REPLACE))
print(fails(os.getxattr, "x", "user.n"), fails(os.setxattr, "x", "trusted.a", b"1"))
os.removexattr("x", "user.a"); print(sorted(os.listxattr("x")))
`,
      path,
    );
    assert.equal(
      said,
      "['user.a', 'user.b', 'user.big'] b'1' 65536\nEEXIST ENODATA\nENODATA ENOTSUP\n['user.b', 'user.big']\n",
    );
  },
);

test("fallocate, holes, O_TMPFILE, a shared mapping, locks and fsync work", OPTIONS, async () => {
  const { path } = await writable;
  const said = await python(
    `
import ctypes, fcntl, mmap, os, sys
os.chdir(sys.argv[1]); libc = ctypes.CDLL(None, use_errno=True)
f = os.open("fa", os.O_RDWR | os.O_CREAT); os.posix_fallocate(f, 0, 1 << 20); print(os.fstat(f).st_size)
os.pwrite(f, b"data" * 2048, 0); i64 = ctypes.c_int64
print(libc.fallocate(f, 3, i64(4096), i64(4096)), os.pread(f, 4, 4096), os.fsync(f))
t = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600); os.write(t, b"tmp"); print(libc.linkat(-100, b"/proc/self/fd/%d" % t, -100, b"named", 0x400), open("named").read())
m = mmap.mmap(f, 4096); m[0:4] = b"MAPS"; m.flush(); print(os.pread(f, 4, 0))
fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB); d = os.open(".", 0); print(os.fsync(d))
`,
    path,
  );
  assert.equal(said, "1048576\n0 b'\\x00\\x00\\x00\\x00' None\n0 tmp\nb'MAPS'\nNone\n");
});

test(
  "a removed file is readable and writable while it is open, and leaves no trace in the folder",
  OPTIONS,
  async () => {
    const { path } = await writable;
    const said = await python(
      `
import os, sys
os.chdir(sys.argv[1]); before = sorted(os.listdir(b"."))
f = open("gone", "w+"); f.write("still here"); f.flush(); os.unlink("gone")
print(sorted(os.listdir(b".")) == before); f.write(" and more"); f.seek(0); print(f.read(), os.fstat(f.fileno()).st_nlink)
`,
      path,
    );
    assert.equal(said, "True\nstill here and more 0\n");
  },
);

test("5,000 new files are listed once each", OPTIONS, async () => {
  const { path } = await writable;
  await sh('mkdir "$1/lots" && cd "$1/lots" && seq 5000 | xargs touch', path);
  assert.equal(new Set(await readdir(join(path, "lots"))).size, 5_000);
});

test("a program tree is copied in, and the copy is equal", OPTIONS, async () => {
  const { path } = await writable;
  await sh('cp -a "$1/docs" "$1/copy" && diff -r "$1/docs" "$1/copy"', path);
});

test("a mount cut off while a file is open for writing counts its unflushed handle", OPTIONS, async (t) => {
  const { path, server, tell } = await mountWritable(t, "everything");
  const writing = `import sys,time; f=open(sys.argv[1]+"/w","w"); f.write("x"); print("open",flush=True); time.sleep(30)`;
  await startProcess(t, "python3", ["-c", writing, path]).saying(/open/);
  tell("writers");
  const [, files] = await server.saying(/^writers (.*)$/m);
  assert.deepEqual(
    (JSON.parse(files!) as { paths: string[] }[]).map(({ paths }) => paths),
    [["w"]],
  );
  tell("force");
  const [, end] = await server.saying(/^ended (.*)$/m);
  assert.deepEqual(JSON.parse(end!), { unflushedHandles: 1, aborted: true });
});

test("an orderly unmount after writing leaves nothing unflushed", OPTIONS, async (t) => {
  const { path, server } = await mountWritable(t, "everything");
  await writeFile(join(path, "w"), "x");
  await sh('umount "$1"', path);
  const [, end] = await server.saying(/^ended (.*)$/m);
  assert.deepEqual(JSON.parse(end!), { unflushedHandles: 0, aborted: false });
});

test("requests wait while the tree is held still, and are answered afterwards", OPTIONS, async (t) => {
  const { path, server, tell } = await mountWritable(t, "everything");
  const order: string[] = [];
  tell("still");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const made = writeFile(join(path, "late"), "x").then(() => order.push("written"));
  await server.saying(/^stirring$/m).then(() => order.push("stirring"));
  await made;
  assert.deepEqual(order, ["stirring", "written"]);
});
