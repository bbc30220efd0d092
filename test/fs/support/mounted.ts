/** A sample version mounted by a process of its own, which ends with the test. */
import { execFile } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Scope } from "../../support/cleanup.js";
import { type TestProcess, startNode } from "../../support/processes.js";
import { tempDir } from "../../support/temp.js";
import type { SampleName } from "./samples.js";
import type { ServeVersionOptions } from "./serve-version.js";

export interface Mounted {
  /** The folder the version shows in. */
  path: string;
  /** A folder beside it, for copies. */
  scratch: string;
  server: TestProcess;
  /** Sends the server a command. */
  tell: (command: "unmount" | "lazy" | "force" | "requests" | "still" | "writers") => void;
}

const PROGRAM = fileURLToPath(new URL("./serve-version.js", import.meta.url));

/** A test that hangs must fail, not wait: nothing here takes more than a few seconds. */
export const TIMEOUT = { timeout: 180_000 };

/** Mounting needs the device, and root or the helper; without them these tests are skipped. */
export const CAN_MOUNT = process.platform === "linux" && process.getuid?.() === 0;

/** Mounts a sample and waits until it is served. */
export async function mountSample(
  scope: Scope,
  sample: SampleName,
  options: Partial<ServeVersionOptions> = {},
): Promise<Mounted> {
  const folder = await tempDir(scope);
  const [path, scratch] = [join(folder, "mnt"), join(folder, "scratch")];
  await Promise.all([mkdir(path), mkdir(scratch), mkdir(join(folder, "cache"), { mode: 0o700 })]);
  await chmod(folder, 0o755);
  const defaults = {
    latencyMs: 0,
    deadlineMs: 10_000,
    allowOther: false,
    cacheDirectory: join(folder, "cache"),
  };
  const server = startNode(scope, PROGRAM, [
    JSON.stringify({ mountpoint: path, sample, ...defaults, ...options }),
  ]);
  await server.saying(/^mounted$/m);
  return { path, scratch, server, tell: (command) => void server.child.stdin.write(`${command}\n`) };
}

/** As `mountSample`, with an overlay: the mount can be written to. */
export async function mountWritable(scope: Scope, sample: SampleName): Promise<Mounted> {
  const overlays = await tempDir(scope);
  return mountSample(scope, sample, { overlayDirectory: join(overlays, "overlay") });
}

/** Runs a Python program with `sys.argv[1]` and up set to `values`; what it prints. */
export function python(program: string, ...values: string[]): Promise<string> {
  return sh(`python3 -c "$1" "$2" "$3"`, program, ...values);
}

/** Runs a shell line with `$1` and up set to `values`; its output as bytes, one a character. Fails when it fails. */
export async function sh(line: string, ...values: string[]): Promise<string> {
  const options = { encoding: "latin1" as const, timeout: 30_000, maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)("sh", ["-c", line, "sh", ...values], options);
  return stdout;
}
