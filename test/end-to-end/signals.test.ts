/** Programs with timers, profilers and children: their signals do not break what they read and write. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { startProcess } from "../support/processes.js";
import { varveUser } from "../support/varve.js";
import { DATASET, MOUNTED } from "./support/mounted.js";

const FAR = new URL("./support/far.js", import.meta.url).href;
const STALLING = new URL("./support/stalling-remote.js", import.meta.url).href;
/** A timer every 2 ms, as profilers set them; a handler without SA_RESTART. Each call must succeed at its first try. */
const TIMED_WRITER = `
use strict; use Time::HiRes qw(setitimer ITIMER_REAL); use Fcntl;
my $rings = 0; $SIG{ALRM} = sub { $rings++ }; setitimer(ITIMER_REAL, 0.002, 0.002);
for my $path (@ARGV) {
  stat($path) or die "stat: $!";
  sysopen(my $file, $path, O_RDWR) or die "open: $!";
  sysseek($file, 100, 0);
  (syswrite($file, "new") // die "write: $!") == 3 or die "short write";
  sysseek($file, 4000, 0);
  (sysread($file, my $bytes, 500) // die "read: $!") == 500 or die "short read";
}
setitimer(ITIMER_REAL, 0); # Once Perl ends it has no handler any more.
print "$rings rings\n";
`;
const TIMED_WAITER = TIMED_WRITER.replace("for my", 'syswrite(STDOUT, "begun\n"); for my');

test(
  "a timer that rings every 2 ms breaks no stat, read or write that waits for the remote",
  MOUNTED,
  async (t) => {
    const files = await mountFrom(t, "far", FAR, 12);
    const output = execFileSync("perl", ["-e", TIMED_WRITER, ...files], { encoding: "utf8" });
    const rings = Number(/^(\d+) rings$/m.exec(output)?.[1]);
    t.diagnostic(`${rings} signals during ${files.length} files`);
    assert.ok(rings >= files.length, output); // Perl counts those of one call as one.
  },
);

test(
  "a program with such a timer that waits for the remote is ended by SIGKILL at once",
  MOUNTED,
  async (t) => {
    const [file] = await mountFrom(t, "stalling", STALLING, 1);
    const waiter = startProcess(t, "perl", ["-e", TIMED_WAITER, file!]);
    await waiter.saying(/begun/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const started = performance.now();
    const { signal } = await waiter.kill("SIGKILL");
    const took = performance.now() - started;
    t.diagnostic(`it ended after ${took.toFixed(0)} ms`);
    assert.equal(signal, "SIGKILL");
    assert.ok(took < 8_000, `after ${took} ms`);
  },
);

/** Files of a writable mount, none of which is in the cache. */
async function mountFrom(t: TestContext, scheme: string, loader: string, count: number): Promise<string[]> {
  const varve = await varveUser(t, { NODE_OPTIONS: `--import=${loader}` });
  const [folder, path] = ["files", "mnt"].map((name) => join(varve.home, "..", name)) as [string, string];
  const names = [...Array(count).keys()].map((index) => `f${index}`);
  writeFolder(folder, Object.fromEntries(names.map((name) => [name, `${name} `.repeat(400_000)])));
  mkdirSync(path);
  await varve.ok(["sync", folder, DATASET, "--remote", `${scheme}://${varve.home}-remote`]);
  const env = { VARVE_CACHE_DIR: `${varve.home}-cache` };
  await varve.ok(["mount", "--writable", DATASET, path], { env });
  return names.map((name) => join(path, name));
}
