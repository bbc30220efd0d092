/** Attributes, room, locks, mappings, times and special files of a writable mount, as Linux has them on a disk. */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { MiB } from "../../src/units.js";
import { CAN_MOUNT, TIMEOUT } from "./support/mounted.js";
import { shareMount } from "./support/shared-mount.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };
const shared = shareMount();

test(
  "names and values of attributes have Linux's limits, and namespaces but user.* are refused",
  OPTIONS,
  async () => {
    const lines = await (
      await shared
    ).python(`
put("limits", ""); os.symlink("limits", "limits-link"); os.mkfifo("limits-fifo")
def sets(name, size=1, path="limits", value=None): return fails(lambda: os.setxattr(path, name, value or b"v" * size, follow_symlinks=False))
print(sets("user." + "n" * 250), sets("user." + "n" * 251), sets("user.v", 65536), sets("user.v", 65537), sets("user."))
print(len(os.getxattr("limits", "user.v")), libc.getxattr(b"limits", b"user.v", ctypes.create_string_buffer(9), 9), errno.errorcode[ctypes.get_errno()])
print(libc.listxattr(b"limits", ctypes.create_string_buffer(9), 9), errno.errorcode[ctypes.get_errno()])
print(*(sets(space + ".x") for space in ["trusted", "security", "system", "other"]), sets("security.capability", value=struct.pack("<5I", 2 << 24, 1, 0, 0, 0)))
print(sets("user.x", path="limits-link"), sets("user.x", path="limits-fifo"))
print([set(sets("user.%03d" % n + "n" * 247) for n in numbers) for numbers in [range(254), range(254, 260)]], len(os.listxattr("limits")))
`);
    assert.deepEqual(lines, [
      "succeeds ERANGE succeeds E2BIG EINVAL",
      "65536 -1 ERANGE",
      "-1 ERANGE",
      "ENOTSUP ENOTSUP ENOTSUP ENOTSUP ENOTSUP",
      "EPERM EPERM",
      "[{'succeeds'}, {'ENOSPC'}] 256",
    ]);
  },
);

test("statfs tells the room on the disk of the overlay, less the reserve", OPTIONS, async () => {
  const { path, local, sh } = await shared;
  const tell = async (): Promise<number> => {
    const [disk, mount] = [statfsSync(local), statfsSync(path)];
    assert.equal(mount.blocks * mount.bsize, disk.blocks * disk.bsize);
    const reserve = Math.min(256 * MiB, (disk.blocks * disk.bsize) / 8);
    return Math.abs(mount.bavail * mount.bsize + reserve - disk.bavail * disk.bsize);
  };
  let off = await tell();
  // Others write to the disk too, and the mount asks it ten times a second.
  for (let tries = 0; tries < 100 && off > 32 * MiB; tries++) off = await setTimeout(50).then(tell);
  assert.ok(off <= 32 * MiB, `${off} bytes off`);
  assert.deepEqual(await sh('stat -f -c %l "$1"'), ["255"]);
});

test("flock and fcntl locks hold between processes, wait, and go with their process", OPTIONS, async () => {
  const lines = await (
    await shared
  ).python(`
put("locks", "x" * 100); fd = os.open("locks", os.O_RDWR)
def holding(lock):
    ready, tell = os.pipe(); go, let = os.pipe()
    def body():
        own = os.open("locks", os.O_RDWR); lock(own); os.write(tell, b"x"); os.read(go, 1)
    child = in_child(body); os.read(ready, 1)
    return child, lambda: os.write(let, b"x")
def waits(lock, child, release):
    signal.signal(signal.SIGALRM, lambda *_: (held.append(True), release()))
    held = []; signal.setitimer(signal.ITIMER_REAL, 0.2); lock(); ended(child); return bool(held)
other, release = holding(lambda own: fcntl.flock(own, fcntl.LOCK_EX))
print("flock", fails(fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB), fails(fcntl.flock, fd, fcntl.LOCK_SH | fcntl.LOCK_NB), waits(lambda: fcntl.flock(fd, fcntl.LOCK_EX), other, release))
fcntl.flock(fd, fcntl.LOCK_SH)
other, release = holding(lambda own: fcntl.flock(own, fcntl.LOCK_SH)); print("two shared"); os.kill(other, signal.SIGKILL); ended(other)
print("killed", fails(fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB))
other, release = holding(lambda own: fcntl.lockf(own, fcntl.LOCK_EX, 10, 5))
nb = fcntl.LOCK_EX | fcntl.LOCK_NB
print("fcntl", fails(fcntl.lockf, fd, nb, 10, 0), fails(fcntl.lockf, fd, nb, 5, 0), fails(fcntl.lockf, fd, nb, 0, 15))
asked = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack("hhqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0))
kind, _, start, length, pid = struct.unpack("hhqqixxxx", asked); print("told", kind == fcntl.F_WRLCK, start, length, pid == other)
print("waits", waits(lambda: fcntl.lockf(fd, fcntl.LOCK_EX, 10, 0), other, release))
`);
  assert.deepEqual(lines, [
    "flock EAGAIN EAGAIN True",
    "two shared",
    "killed succeeds",
    "fcntl EAGAIN succeeds succeeds",
    "told True 5 10 True",
    "waits True",
  ]);
});

test(
  "a shared mapping is one for all processes and for read(2), a private one is nobody else's",
  OPTIONS,
  async () => {
    const lines = await (
      await shared
    ).python(`
put("maps", "." * 8192)
def mapping(flags): return mmap.mmap(os.open("maps", os.O_RDWR), 8192, flags)
ours, private = mapping(mmap.MAP_SHARED), mapping(mmap.MAP_PRIVATE)
def body(): mapping(mmap.MAP_SHARED)[4096:4101] = b"child"
print(ended(in_child(body)), ours[4096:4101], open("maps", "rb").read()[4096:4101])
private[0:7] = b"private"; print(ours[0:7], open("maps", "rb").read(7), private[0:7])
os.pwrite(os.open("maps", os.O_WRONLY), b"written", 100); print(ours[100:107])
`);
    assert.deepEqual(lines, ["0 b'child' b'child'", "b'.......' b'.......' b'private'", "b'written'"]);
  },
);

test("O_DIRECT writes and reads are one with those through the page cache", OPTIONS, async () => {
  const lines = await (
    await shared
  ).python(`
direct = os.open("direct", os.O_RDWR | os.O_CREAT | os.O_DIRECT); page = mmap.mmap(-1, 8192)
page[:] = b"d" * 8192; print(os.write(direct, page), open("direct", "rb").read() == b"d" * 8192)
put_at = os.open("direct", os.O_WRONLY); os.pwrite(put_at, b"buffered", 4096)
print(os.preadv(direct, [page], 4096), page[0:9]); page[0:8] = b"straight"; os.pwritev(direct, [page], 0)
print(open("direct", "rb").read(8), os.stat("direct").st_size)
odd = memoryview(page)[1:8]; odd[:] = b"odd end"; print(os.pwritev(direct, [odd], 8190), os.preadv(direct, [odd], 8191), bytes(odd[:6]), os.stat("direct").st_size)
`);
  assert.deepEqual(lines, ["8192 True", "4096 b'bufferedd'", "b'straight' 8192", "7 6 b'dd end' 8197"]);
});

test(
  "reading leaves atime alone; chmod, rename, link and unlink move ctime, and nothing else",
  OPTIONS,
  async () => {
    const lines = await (
      await shared
    ).python(`
def times(path):
    s = os.stat(path); return s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns
def moved(change, path="t"):
    before = times(path if os.path.exists(path) else "t"); time.sleep(0.02); change()
    return "".join(letter for letter, a, b in zip("amc", before, times(path)) if a != b) or "-"
put("t", "x"); os.utime("t", ns=(5, 7)); put("base", "")
print(moved(lambda: open("t").read()), moved(lambda: list(os.scandir("docs")), "docs"), moved(lambda: open("docs/hello.txt").read(), "docs/hello.txt"))
print(moved(lambda: os.chmod("t", 0o640)), moved(lambda: os.link("t", "t2")), moved(lambda: os.unlink("t2")), moved(lambda: os.rename("t", "t3"), "t3"))
os.rename("t3", "t"); print(moved(lambda: os.chown("t", 3, 4)), moved(lambda: os.setxattr("t", "user.a", b"1")), moved(lambda: os.write(os.open("t", os.O_WRONLY), b"y")))
`);
    assert.deepEqual(lines, ["- - -", "c c c c", "c c mc"]);
  },
);

test("UTIME_NOW and UTIME_OMIT set the one time and leave the other", OPTIONS, async () => {
  const lines = await (
    await shared
  ).python(`
NOW, OMIT = (1 << 30) - 1, (1 << 30) - 2
put("u", "x"); os.symlink("nowhere", "u-link")
def set(path, atime, mtime):
    os.utime(path, ns=(5, 7), follow_symlinks=False); begun = time.time_ns()
    value = struct.pack("qqqq", *(n for when in (atime, mtime) for n in when))
    result = libc.utimensat(-100, path.encode(), value, 0x100); s = os.lstat(path)
    return [result] + ["now" if abs(t - begun) < 5e9 else t for t in (s.st_atime_ns, s.st_mtime_ns)]
for path in ["u", "u-link", "docs/old"]:
    print(set(path, (0, NOW), (0, OMIT)), set(path, (0, OMIT), (0, NOW)), set(path, (0, OMIT), (0, OMIT)), set(path, (-1, 999999999), (0, OMIT)))
`);
  const each = "[0, 'now', 7] [0, 5, 'now'] [0, 5, 7] [0, -1, 7]";
  assert.deepEqual(lines, [each, each, each]);
});

test("fifos and sockets join processes, and devices are there and cannot be opened", OPTIONS, async () => {
  const lines = await (
    await shared
  ).python(`
os.mkfifo("fifo"); os.rename("fifo", "moved-fifo")
os.utime("moved-fifo", (5, 5))
child = in_child(lambda: put("moved-fifo", "through")); print(open("moved-fifo").read(), ended(child), os.stat("moved-fifo").st_mtime)
server = socket.socket(socket.AF_UNIX); server.bind("socket"); server.listen()
def ask():
    client = socket.socket(socket.AF_UNIX); client.connect("socket"); client.sendall(b"asked")
child = in_child(ask); print(server.accept()[0].recv(9), ended(child), stat.filemode(os.stat("socket").st_mode)[0])
os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3)); os.mknod("loop", 0o660 | stat.S_IFBLK, os.makedev(7, 0))
print(*((stat.filemode(s.st_mode)[0], os.major(s.st_rdev), os.minor(s.st_rdev)) for s in map(os.stat, ["null", "loop"])), fails(os.open, "null", os.O_RDWR), fails(os.open, "loop", os.O_RDONLY))
`);
  assert.deepEqual(lines, ["through 0 5.0", "b'asked' 0 s", "('c', 1, 3) ('b', 7, 0) EACCES EACCES"]);
});
