/**
 * An ordinary user mounts, through fusermount3. The server runs as `nobody` in a mount namespace of its own, where a
 * device that everybody may open stands in place of /dev/fuse; both vanish with it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { Scope } from "../support/cleanup.js";
import { type TestProcess, startProcess } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import { CAN_MOUNT, TIMEOUT, sh } from "./support/mounted.js";
import { type SampleName, sample as itemsOf } from "./support/samples.js";

const NOBODY = 65_534;
const AS_NOBODY = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups`;
/** `$1`: a path for the device; then what to run. */
const IN_NAMESPACE = `mknod "$1" c 10 229 && chmod 666 "$1" && mount --bind "$1" /dev/fuse && shift && exec ${AS_NOBODY} "$@"`;
const PROGRAM = fileURLToPath(new URL("./support/serve-version.js", import.meta.url));

const hasTools = spawnSync("sh", ["-c", "command -v fusermount3 unshare nsenter setpriv"]).status === 0;
const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT || !hasTools };

interface UserMount {
  path: string;
  server: TestProcess;
  /** Runs a shell line in the server's namespace, as the user or as root. */
  inside: (line: string, who?: "nobody" | "root") => Promise<string>;
}

async function startAsNobody(
  scope: Scope,
  allowOther = false,
  sample: SampleName = "everything",
): Promise<UserMount> {
  const folder = await tempDir(scope);
  const [path, cacheDirectory] = [join(folder, "mnt"), join(folder, "cache")];
  await chmod(folder, 0o755);
  for (const own of [path, cacheDirectory]) {
    await mkdir(own, { mode: 0o700 });
    await chown(own, NOBODY, NOBODY);
  }
  const options = {
    mountpoint: path,
    cacheDirectory,
    sample,
    latencyMs: 0,
    deadlineMs: 10_000,
    allowOther,
  };
  const command = [process.execPath, PROGRAM, JSON.stringify(options)];
  const server = startProcess(scope, "unshare", [
    "-m",
    "sh",
    "-c",
    IN_NAMESPACE,
    "sh",
    join(folder, "fuse"),
    ...command,
  ]);
  const enter = `nsenter -t ${server.pid} -m`;
  const inside = (line: string, who = "nobody") =>
    sh(`${enter} ${who === "root" ? "" : AS_NOBODY} sh -c '${line}' sh "$1"`, path);
  return { path, server, inside };
}

test(
  "an ordinary user mounts through fusermount3, sees files as their own, and unmounts",
  OPTIONS,
  async (t) => {
    const { server, inside } = await startAsNobody(t);
    await server.saying(/^mounted$/m);
    assert.equal(
      await inside('cat "$1/docs/hello.txt"; stat -c "%u %g" "$1/docs"'),
      `hello\n${NOBODY} ${NOBODY}\n`,
    );
    await inside('fusermount3 -u "$1"');
    assert.equal((await server.ended).code, 0);
  },
);

test("large files are read through us, since only root may pass them through", OPTIONS, async (t) => {
  const { server, inside } = await startAsNobody(t, false, "large");
  await server.saying(/^mounted$/m);
  const content = itemsOf("large").find(({ path }) => path === "large")!.content!;
  const wanted = `${createHash("sha256").update(content).digest("hex")}  -\n`;
  for (let round = 0; round < 2; round++)
    assert.equal(await inside('dd if="$1/large" iflag=direct bs=1M status=none | sha256sum'), wanted);
});

test("nobody but the mounting user sees into a mount, not even root", OPTIONS, async (t) => {
  const { server, inside } = await startAsNobody(t);
  await server.saying(/^mounted$/m);
  await assert.rejects(inside('ls "$1"', "root"), /Permission denied/);
});

test("a mount of an ordinary user whose process is killed is cleared by its guardian", OPTIONS, async (t) => {
  const { path, server } = await startAsNobody(t);
  await server.saying(/^mounted$/m);
  const namespace = startProcess(t, "nsenter", [
    "-t",
    String(server.pid),
    "-m",
    "sh",
    "-c",
    "echo inside; exec sleep 60",
  ]);
  await namespace.saying(/^inside$/m);
  await server.kill("SIGKILL");
  const mounts = () => sh(`nsenter -t ${namespace.pid} -m cat /proc/self/mounts`);
  for (let tries = 0; tries < 200 && (await mounts()).includes(path); tries++)
    await new Promise(setImmediate);
  assert.ok(!(await mounts()).includes(path), "the dead mount stays");
});

test(
  "letting others in without user_allow_other is refused, with where it is allowed",
  OPTIONS,
  async (t) => {
    const { server } = await startAsNobody(t, true);
    const [, failure] = await server.saying(/^failed (.*)$/m);
    const { code, message } = JSON.parse(failure!) as { code: string; message: string };
    assert.equal(code, "mount-refused");
    assert.match(message, /\/etc\/fuse\.conf says "user_allow_other"$/);
  },
);
