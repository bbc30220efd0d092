/** How a mount ends: orderly, while in use, by force, and when the process behind it is killed. */
import assert from "node:assert/strict";
import { readFileSync, readlinkSync, readdirSync } from "node:fs";
import { mkdir, open, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { mountsBelow } from "../support/mounts.js";
import { startProcess } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { CAN_MOUNT, TIMEOUT, mountSample, sh } from "./support/mounted.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };
const ORDERLY = { unflushedHandles: 0, aborted: false };

/** Waits for something that is about to become true. */
async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (isTrue()) return;
    await setTimeout(20);
  }
  assert.fail(`never: ${what}`);
}

async function endOf(server: { saying(pattern: RegExp): Promise<RegExpExecArray> }): Promise<unknown> {
  const [, end] = await server.saying(/^ended (.*)$/m);
  return JSON.parse(end!);
}

test("umount ends the mount, and the process that served it", OPTIONS, async (t) => {
  const { path, server } = await mountSample(t, "everything");
  await sh('ls "$1" && umount "$1"', path);
  assert.deepEqual(await endOf(server), ORDERLY);
  assert.equal((await server.ended).code, 0);
  assert.deepEqual(mountsBelow(path), []);
});

test("unmounting in use is refused as mount-busy and goes well afterwards", OPTIONS, async (t) => {
  const { path, server, tell } = await mountSample(t, "everything");
  const file = await open(join(path, "docs/hello.txt"));
  tell("unmount");
  const [, failure] = await server.saying(/^failed (.*)$/m);
  assert.equal((JSON.parse(failure!) as { code: string }).code, "mount-busy");
  await file.close();
  tell("unmount");
  assert.deepEqual(await endOf(server), ORDERLY);
});

/** Maps a file and closes it. */
const MAPPING = `
import ctypes, os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
ctypes.CDLL(None).mmap(None, 4096, 1, 2, fd, 0); os.close(fd); print("mapped", flush=True); time.sleep(60)
`;

test("who stands in a mount, and who has mapped a file of it, are named as its users", OPTIONS, async (t) => {
  const { path, server, tell } = await mountSample(t, "everything");
  const standing = startProcess(t, "sleep", ["60"], { cwd: path });
  const mapping = startProcess(t, "python3", ["-c", MAPPING, join(path, "docs/hello.txt")]);
  await mapping.saying(/mapped/);
  tell("unmount");
  const [, failure] = await server.saying(/^failed (.*)$/m);
  const { message } = JSON.parse(failure!) as { message: string };
  const named = [...message.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
  assert.deepEqual(new Set(named), new Set([standing.pid, mapping.pid]), message);
  assert.match(message, /sleep 60 \(pid/);
});

test(
  "a lazy unmount frees the folder at once, and open files stay readable until they are closed",
  OPTIONS,
  async (t) => {
    const { path, server, tell } = await mountSample(t, "everything");
    const file = await open(join(path, "docs/hello.txt"));
    tell("lazy");
    await server.saying(/^unmounted$/m);
    assert.deepEqual(await readdir(path), []);
    assert.equal(await file.readFile("utf8"), "hello\n");
    await file.close();
    assert.deepEqual(await endOf(server), ORDERLY);
  },
);

test(
  "a forced unmount fails those who wait for a remote, and reports the mount as cut off",
  OPTIONS,
  async (t) => {
    const { path, server, tell } = await mountSample(t, "everything", { latencyMs: 30_000 });
    const waiting = readFile(join(path, "docs/hello.txt"));
    const failed = assert.rejects(waiting);
    await setTimeout(300);
    tell("force");
    await failed;
    assert.deepEqual(await endOf(server), { unflushedHandles: 0, aborted: true });
    assert.deepEqual(mountsBelow(path), []);
  },
);

test("a mount whose process is killed is cleared by its guardian", OPTIONS, async (t) => {
  const { path, server } = await mountSample(t, "everything");
  await server.kill("SIGKILL");
  await until("the mount is gone", () => mountsBelow(path).length === 0);
  assert.deepEqual(await readdir(path), []);
});

test("the guardian leaves alone what was mounted later at the same place", OPTIONS, async (t) => {
  const { path, server } = await mountSample(t, "everything");
  const guardian = guardianOf(server.pid);
  await sh('mount -t tmpfs later "$1" && touch "$1/mine"', path);
  await server.kill("SIGKILL");
  await until("the guardian has ended", () => !isAlive(guardian));
  assert.deepEqual(await readdir(path), ["mine"]);
});

test("the guardian holds none of the descriptors that the process was given", OPTIONS, async (t) => {
  const { server } = await mountSample(t, "everything");
  const held = descriptorsOf(guardianOf(server.pid));
  assert.deepEqual(held.slice(1), ["/dev/null", "/dev/null"]);
  const given = descriptorsOf(server.pid).slice(0, 3);
  assert.ok(!given.includes(held[0]!), "its pipe is one of the process's own");
});

test(
  "a folder that is missing, a file, not empty or mounted on already is refused as mountpoint-unfit",
  OPTIONS,
  async (t) => {
    const folder = await tempDir(t);
    await writeFile(join(folder, "file"), "");
    await mkdir(join(folder, "full"));
    await writeFile(join(folder, "full", "x"), "");
    const mounted = await mountSample(t, "everything");
    const { checkMountpoint } = await import("../../src/fs/transport/kernel/mountpoint.js");
    for (const path of [join(folder, "missing"), join(folder, "file"), join(folder, "full"), mounted.path])
      await assert.rejects(checkMountpoint(path), { code: "mountpoint-unfit", data: { path } });
  },
);

/** The child of a process that waits in `sh` for its end. */
function guardianOf(pid: number): number {
  const processes = readdirSync("/proc")
    .map(Number)
    .filter((other) => other > 0);
  const found = processes.find(
    (other) => parentOf(other) === pid && commandOf(other).includes("varve-guardian"),
  );
  assert.ok(found, "no guardian was started");
  return found;
}

/** What the descriptors of a process are, in their order. */
function descriptorsOf(pid: number): string[] {
  const fds = readdirSync(`/proc/${pid}/fd`)
    .map(Number)
    .sort((a, b) => a - b);
  return fds.map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}

function isAlive(pid: number): boolean {
  return commandOf(pid) !== "";
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1]);
}

function commandOf(pid: number): string {
  return readOrNothing(`/proc/${pid}/cmdline`);
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // The process has ended.
  }
}
