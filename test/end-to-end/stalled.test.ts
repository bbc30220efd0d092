/** A remote that does not answer: whoever waits for it can be ended, is named, and never keeps the mount from going. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { mountsBelow } from "../support/mounts.js";
import { startProcess } from "../support/processes.js";
import { type Varve, varveUser } from "../support/varve.js";
import { DATASET, MOUNTED, liveMount, until } from "./support/mounted.js";

const STALLING = new URL("./support/stalling-remote.js", import.meta.url).href;
/** Read, then say how it ended; a handler of SIGINT runs once `read(2)` has returned. */
const HANDLING_READER = `
import errno, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: print("handled", flush=True))
print("reading", flush=True); start = time.monotonic()
try: open(sys.argv[1], "rb").read()
except OSError as error: print(errno.errorcode[error.errno], time.monotonic() - start, flush=True)
`;
/** A busy machine takes several times what an idle one does. */
const PATIENCE = 8;

test(
  "of 50 readers that wait for a remote, Ctrl-C and SIGKILL end each at once, unmount names the rest, and --force ends them",
  MOUNTED,
  async (t) => {
    const { varve, path, files } = await mountStalled(t, 50, 60);
    const readers = files.map((file) => startProcess(t, "cat", [file]));
    for (const { pid } of readers) await until(`${pid} waits`, () => waits(pid));
    const left = readers.splice(-10);

    for (const signal of ["SIGINT", "SIGKILL"] as const)
      await inTime(t, `${signal} to 20 readers`, 1_000, async () => {
        const ends = await Promise.all(readers.splice(-20).map((reader) => reader.kill(signal)));
        for (const end of ends) assert.equal(end.signal, signal);
      });

    const refused = await inTime(t, "unmount", 1_000, () => varve(["unmount", path, "--json"]));
    const users = left.map(({ pid }, index) => ({ pid, command: `cat ${files[40 + index]}` }));
    const { error } = refused.json() as { error: { code: string; data: unknown } };
    assert.deepEqual([refused.code, error.code, error.data], [4, "mount-busy", { path, users }]);
    assert.match(
      refused.stderr,
      new RegExp(`: cat ${files[40]} \\(pid ${left[0]?.pid}\\), .*, and 5 more\n`),
    );

    const { ended } = liveMount(varve, path);
    await inTime(t, "unmount --force", 5_000, () => varve.ok(["unmount", path, "--force"]));
    await inTime(t, "the end of all", 1_000, () => Promise.all([ended(), ...left.map((one) => one.ended)]));
    assert.deepEqual(mountsBelow(path), []);
  },
);

test("a reader that handles SIGINT gets it at the deadline, and EIO with it", MOUNTED, async (t) => {
  const { files } = await mountStalled(t, 1, 2);
  const reader = startProcess(t, "python3", ["-c", HANDLING_READER, files[0]!]);
  await reader.saying(/reading/);
  await until("it waits", () => waits(reader.pid));
  process.kill(reader.pid, "SIGINT");
  const [, seconds] = /^reading\nhandled\nEIO (.*)\n$/.exec((await reader.ended).stdout) ?? assert.fail();
  t.diagnostic(`the reader ended after ${seconds} s (deadline: 2 s)`);
  assert.ok(Number(seconds) > 1.9 && Number(seconds) < 2 * PATIENCE, `after ${seconds} s`);
});

interface StalledMount {
  varve: Varve;
  path: string;
  files: string[];
}

/** A mount whose files can be listed, and opened, but not read. */
async function mountStalled(t: TestContext, count: number, deadlineSec: number): Promise<StalledMount> {
  const varve = await varveUser(t, { NODE_OPTIONS: `--import=${STALLING}` });
  const [folder, path] = ["files", "mnt"].map((name) => join(varve.home, "..", name)) as [string, string];
  const names = [...Array(count).keys()].map((index) => `f${index}`);
  writeFolder(folder, Object.fromEntries(names.map((name) => [name, name.padEnd(5_000)])));
  mkdirSync(path);
  await varve.ok(["sync", folder, DATASET, "--remote", `stalling://${varve.home}-remote`]);
  const env = { VARVE_CACHE_DIR: `${varve.home}-cache` };
  await varve.ok(["mount", DATASET, path, "--deadline", String(deadlineSec)], { env });
  return { varve, path, files: names.map((name) => join(path, name)) };
}

/** Whether a process sleeps in the kernel until a page is read, or a request is answered. */
function waits(pid: number): boolean {
  return /^(folio_wait|request_wait)/.test(readFileSync(`/proc/${pid}/wchan`, "latin1"));
}

async function inTime<T>(t: TestContext, what: string, ms: number, run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await run();
  const took = performance.now() - started;
  t.diagnostic(`${what}: ${took.toFixed(0)} ms (to reach: ${ms} ms)`);
  assert.ok(took < ms * PATIENCE, `${what} took ${took} ms`);
  return result;
}
