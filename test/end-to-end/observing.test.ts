/** What a mount tells of itself while it is served, and after it died: figures, metrics, a live view, its log, its health. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { askControl } from "../../src/daemon/control.js";
import type { MountFigures } from "../../src/daemon/figures.js";
import { readMountState } from "../../src/daemon/mount-state.js";
import type { Stuck } from "../../src/daemon/watchdog.js";
import { killQuietly } from "../support/processes.js";
import { s3Environment, s3ServerProcess } from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { DATASET, MOUNTED, liveMount, sh, until, userWith } from "./support/mounted.js";

const FILES = Object.fromEntries(
  Array.from({ length: 20 }, (_, at) => [`f${at}`, String(at).padEnd(4_000)] as const),
);
const IMPATIENT = new URL("./support/impatient-s3.js", import.meta.url).href;

test("metrics count what is done in a mount, on the command line and on a port", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const path = await tempDir(t);
  await varve.ok(["mount", DATASET, path, "--metrics", "0"], {
    env: { VARVE_CACHE_DIR: `${varve.home}-cold` },
  });
  await sh('cd "$1"; ls -l >&2; cat * >&2; cat missing >&2 || true', path);

  const text = (await varve.ok(["metrics", path])).stdout;
  const sample = (name: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? assert.fail(name));
  assert.ok(sample('varve_operations_total{operation="read"}') >= FILES_COUNT, text);
  assert.ok(sample("varve_read_bytes_total") >= FILES_COUNT * 4_000);
  assert.ok(sample('varve_remote_requests_total{kind="read",outcome="done"}') >= 1);
  assert.ok(sample("varve_cache_fetched_bytes_total") > 0);
  assert.ok(sample("varve_prefetched_used_blocks_total") <= sample("varve_prefetched_blocks_total"));
  assert.ok(sample("varve_memory_resident_bytes") > 1e7 && sample("varve_open_descriptors") > 5);
  assert.equal(sample("varve_requests_waiting"), 0);
  const reads = sample('varve_operation_duration_seconds_count{operation="read"}');
  assert.equal(sample('varve_operation_duration_seconds_bucket{operation="read",le="\\+Inf"}'), reads);
  assert.match(text, /^# TYPE varve_operation_duration_seconds histogram$/m);

  const [{ metrics }] = (await varve.ok(["status", "--json"])).json() as [{ metrics: string }];
  const page = await fetch(metrics);
  assert.match(page.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(await page.text(), /^varve_operations_total\{operation="read"\} \d+$/m);
  assert.equal((await fetch(new URL("/other", metrics))).status, 404);

  const taken = await varve(["mount", DATASET, await tempDir(t), "--metrics", new URL(metrics).port]);
  assert.deepEqual([taken.code, /somebody listens there/.test(taken.stderr)], [4, true], taken.stderr);
  const { operations } = (await varve.ok(["metrics", path, "--json"])).json() as MountFigures;
  assert.equal(operations["read"]?.failed, 0);
  await varve.ok(["unmount", path]);
  await assert.rejects(fetch(metrics), "it ends with the mount");
});

test("status --watch shows what mounts do, a line a look where there is no terminal", MOUNTED, async (t) => {
  const varve = await userWith(t, FILES);
  const path = await tempDir(t);
  await varve.ok(["mount", "-w", DATASET, path]);
  const watch = varve.start(["status", "--watch", "--interval", "0.2", "--json"]);
  await watch.saying(/\n/);
  await sh('head -c 3000000 /dev/zero > "$1/zeros"; sync "$1/zeros"', path);
  const lines = () => watch.saying(/"overlayBytes":[3-9]\d{6}/);
  await lines();
  const { code, stdout } = await watch.kill("SIGINT");
  assert.equal(code, 0);
  const looks = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(
    looks.some(({ writtenBytesPerSecond }) => Number(writtenBytesPerSecond) > 100_000),
    stdout,
  );
  assert.ok(looks.every((look) => look["mountpoint"] === path && Number(look["residentBytes"]) > 1e7));
  const plain = varve.start(["status", path, "--watch"]);
  await plain.saying(/^\d{4}-.*Z {2}\/.* {2}ops\/s \d.* {2}read \S+ B\/s .* {2}hits .* {2}memory \d/m);
  await plain.kill("SIGINT");
});

test(
  "logs show the steps of a commit as they come, and are there of a mount that died",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, FILES);
    const path = await tempDir(t);
    const mount = (...options: string[]) => varve.ok(["mount", "-w", DATASET, path, ...options]);
    await mount("--log-level", "info");
    const following = varve.start(["logs", path, "-f"]);
    await following.saying(/info {2}mounted {2}mountpoint=/);
    await sh('echo new > "$1/new"', path);
    await varve.ok(["unmount", path]);
    const followed = (await following.ended).stdout;
    assert.match(
      followed,
      /commit {2}step="?sending content and manifest"?(.*\n)*.*committed {2}version=1\.0\.1/,
    );

    await mount("--log-level", "warn");
    const { pid, ended } = liveMount(varve, path);
    killQuietly(pid);
    await ended();
    const after = await varve.ok(["logs", path, "--json"]);
    assert.equal(after.stdout, "", "nothing was worth a warning");
    const all = readdirSync(varve.places.logsDir);
    assert.equal(all.length, 2);
    for (const name of all) assert.equal(statSync(join(varve.places.logsDir, name)).mode & 0o777, 0o600);
    assert.equal((await varve(["logs", varve.home])).code, 3);
  },
);

test(
  "a health check passes while a mount is served, and fails once its process has died",
  MOUNTED,
  async (t) => {
    const varve = await userWith(t, FILES);
    const path = await tempDir(t);
    assert.equal((await varve(["status", "--check"])).code, 3, "nothing is mounted");
    await varve.ok(["mount", DATASET, path]);
    await varve.ok(["status", "--check", path]);
    await varve.ok(["status", "--check"]);
    const { pid, ended } = liveMount(varve, path);
    process.kill(pid, "SIGSTOP");
    assert.equal((await varve(["status", "--check", path])).code, 1, "it does not answer");
    killQuietly(pid);
    await ended();
    assert.equal((await varve(["status", "--check", path])).code, 3);
  },
);

test(
  "what waits for a bucket that does not answer is told of once, with what it waits for and no secrets",
  MOUNTED,
  async (t) => {
    const server = await s3ServerProcess(t);
    const env = {
      ...s3Environment(server),
      VARVE_REMOTE: "s3://bucket/data",
      NODE_OPTIONS: `--import=${IMPATIENT}`,
    };
    const varve = await userWith(t, FILES, env);
    const path = await tempDir(t);
    await varve.ok(["mount", "-w", DATASET, path, "--deadline", "4"], {
      env: { VARVE_CACHE_DIR: `${varve.home}-cold` },
    });
    await sh('ls "$1" >&2', path);
    const { socket } = readMountState(varve.places, path)!;
    const stuck = async () =>
      ((await askControl(socket, { operation: "status", arguments: {} })) as { stuck: Stuck[] }).stuck;

    const stalled = { fault: { kind: "stall", where: "answer" }, key: "packs/" } as const;
    await server.setFaults([{ ...stalled, operations: ["GetObject"] }]);
    await assert.rejects(
      sh('cd "$1"; for f in f*; do cat $f & done; wait; cat f0', path),
      /Input\/output error/,
    );
    const [reads, ...more] = (await stuck()).filter(({ waitsFor }) => waitsFor.startsWith("read of"));
    assert.match(reads?.waitsFor ?? "", /^read of "packs\/\w\w\/\w+" in s3:\/\/bucket\/data$/);
    assert.deepEqual([more, reads!.count > 1, Date.now() - reads!.sinceMs >= 4_000], [[], true, true]);

    await server.setFaults([{ ...stalled, operations: ["PutObject", "UploadPart"] }]);
    await sh('echo new > "$1/new"', path);
    const committing = varve.start(["commit", path, "--retries", "100"]);
    await until("the commit is told of", async () =>
      (await stuck()).some(
        ({ waitsFor, endedAtMs }) => /^put of "packs\//.test(waitsFor) && endedAtMs === undefined,
      ),
    );
    assert.match(
      (await varve.ok(["status", path])).stdout,
      /: put waits since .* for the put of "packs\/\S+" in s3:/,
    );
    await server.setFaults([]);
    assert.equal((await committing.ended).code, 0);

    const { stdout } = await varve.ok(["logs", path, "--json"]);
    const told = stdout.split("\n").filter((line) => line.includes('"msg":"stuck"'));
    assert.deepEqual(told.filter((line) => line.includes('read of \\"packs/')).length, 1, told.join("\n"));
    assert.match(stdout, /"msg":"remote failed"/);
    for (const secret of [server.account.secretAccessKey, "X-Amz-Signature"])
      assert.ok(!stdout.includes(secret));
    assert.equal(readFileSync(join(path, "new"), "utf8"), "new\n");
  },
);

const FILES_COUNT = Object.keys(FILES).length;
