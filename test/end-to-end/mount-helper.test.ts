/** Mounting as a system does it: by mount(8), by a line of fstab, and as a service. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

import { findMount } from "../../src/fs/transport/kernel/mounts.js";
import { atEnd } from "../support/cleanup.js";
import { startProcess } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import type { Varve } from "../support/varve.js";
import { CAN_MOUNT, DATASET, MOUNTED, labelsOf, liveMount, sh, userWith } from "./support/mounted.js";

const HELPER = "/sbin/mount.varve";
const SHIPPED = fileURLToPath(new URL("../../varve/mount-helper.js", import.meta.url));
const UNITS = fileURLToPath(new URL("../../../packaging/systemd/", import.meta.url));

const WITH_HELPER = {
  ...MOUNTED,
  skip: !CAN_MOUNT || (existsSync(HELPER) && `${HELPER} is there already, and is not ours to replace`),
};

test("mount -t varve mounts a version to be read, umount takes it away", WITH_HELPER, async (t) => {
  const { varve, path, options } = await userWithHelper(t);
  await sh('mount -t varve -o "$1" "$2" "$3"', `ro,noexec,uid=7,${options}`, DATASET, path);
  assert.equal(readFileSync(join(path, "a.txt"), "utf8"), "a");
  const { source } = findMount(path)!;
  const shown = await sh('findmnt -n -o OPTIONS "$1"; stat -c %u "$1/a.txt"', path);
  assert.equal(source, DATASET);
  assert.match(shown, /^ro,nosuid,nodev,noexec,.*\n7\n$/);
  const { ended } = liveMount(varve, path);
  await sh('umount "$1"', path);
  await ended();
  assert.equal(findMount(path), undefined);
});

test("a line of fstab is mounted once, and its remote needs no catalog", WITH_HELPER, async (t) => {
  const { varve, path, folder } = await userWithHelper(t);
  const fstab = join(folder, "fstab");
  const options = `home=${folder}/other\\040home,_netdev,nofail,x-systemd.automount`;
  writeFileSync(fstab, `${varve.places.defaultRemote}#${DATASET}@1.0.0 ${path} varve ${options} 0 0\n`);
  await sh('mount -T "$1" "$2"', fstab, path);
  assert.equal(readFileSync(join(path, "a.txt"), "utf8"), "a");
  const { id } = findMount(path)!;
  await sh('mount -a -T "$1"', fstab);
  assert.equal(findMount(path)?.id, id, "it was not mounted once more");
  assert.ok(existsSync(join(folder, "other home", "mounts")));
  await sh('umount "$1"', path);
});

test("a writable mount is committed when it is unmounted by umount", WITH_HELPER, async (t) => {
  const { varve, path, options } = await userWithHelper(t);
  await sh('mount -t varve -o "$1" "$2" "$3"', `writable,${options}`, DATASET, path);
  writeFileSync(join(path, "new"), "new");
  const { ended } = liveMount(varve, path);
  await sh('umount "$1"', path);
  await ended();
  assert.deepEqual(await labelsOf(varve), ["1.0.0", "1.0.1"]);
});

test("what mount(8) cannot have is said, with its exit codes", WITH_HELPER, async (t) => {
  const { path, folder, options } = await userWithHelper(t);
  const mount = (...args: string[]) => spawnSync("mount", ["-t", "varve", ...args], { encoding: "utf8" });
  const missing = mount("-o", options, `${DATASET}@9.9.9`, path);
  assert.deepEqual([missing.status, /9\.9\.9/.test(missing.stderr)], [32, true], missing.stderr);
  const unknown = mount("-o", `${options},shiny`, DATASET, path);
  assert.match(unknown.stderr, /"shiny": there is no such option/);
  const secrets = join(folder, "keys.env");
  writeFileSync(secrets, "AWS_SECRET_ACCESS_KEY=planted\n");
  chmodSync(secrets, 0o644);
  const open = mount("-o", `${options},environment_file=${secrets}`, DATASET, path);
  assert.match(open.stderr, /others may read or change it/);
  assert.equal(mount("-f", "-o", options, DATASET, path).status, 0);
  assert.equal(findMount(path), undefined);
});

test("a service manager is told when the mount can be used, and that it stops", MOUNTED, async (t) => {
  const varve = await userWith(t, { "a.txt": "a" });
  const folder = await tempDir(t);
  const [socket, path] = [join(folder, "notify"), join(folder, "mnt")];
  mkdirSync(path);
  const manager = startProcess(t, "python3", ["-uc", MANAGER, socket]);
  await manager.saying(/listening/);
  const mount = varve.start(["mount", "--foreground", DATASET, path], { env: { NOTIFY_SOCKET: socket } });
  await manager.saying(/READY=1 STATUS=Serving lab\/data@1\.0\.0 at /);
  assert.equal(readFileSync(join(path, "a.txt"), "utf8"), "a");
  mount.child.kill("SIGTERM");
  await manager.saying(/STOPPING=1 .*\n(.*\n)*EXTEND_TIMEOUT_USEC=\d+/);
  assert.equal((await mount.ended).code, 0);
});

test(
  "the units are what systemd takes",
  { skip: !hasSystemd() && "there is no systemd-analyze" },
  async (t) => {
    const folder = await tempDir(t);
    const units = {
      "varve@.service": "varve@data.service",
      "srv-datasets-cifar10.mount": "srv-datasets-cifar10.mount",
    };
    for (const [name, instance] of Object.entries(units)) {
      const unit = join(folder, instance);
      copyFileSync(join(UNITS, name), unit);
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", unit], {
        encoding: "utf8",
      });
      // What it says of other units of this machine is none of ours.
      const ours = stderr.split("\n").filter((line) => line.includes(instance));
      assert.deepEqual([status, ours], [0, []], stderr);
    }
  },
);

/** Prints what it is told, a line a message. */
const MANAGER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("listening")
while True: print(s.recv(4096).decode().replace("\\n", " "))
`;

async function userWithHelper(
  t: TestContext,
): Promise<{ varve: Varve; path: string; folder: string; options: string }> {
  const varve = await userWith(t, { "a.txt": "a" });
  const folder = await tempDir(t);
  const path = join(folder, "mnt");
  mkdirSync(path);
  symlinkSync(SHIPPED, HELPER);
  atEnd(t, () => rmSync(HELPER));
  return { varve, path, folder, options: `home=${varve.home},catalog=${varve.places.catalogPath}` };
}

function hasSystemd(): boolean {
  return spawnSync("systemd-analyze", ["--version"]).status === 0;
}
