/** Child processes that do not outlive their test. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";

import { errnoOf } from "../../src/errors.js";
import { type Scope, atEnd } from "./cleanup.js";

/** How a child ended, and all it said. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ProcessOptions {
  env?: NodeJS.ProcessEnv | undefined;
  cwd?: string | undefined;
  /** Another user, alone in a group of the same number. Takes root. */
  uid?: number | undefined;
}

export interface TestProcess {
  readonly pid: number;
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the child has ended and its output is complete. */
  readonly ended: Promise<Exit>;
  /** Waits until standard output matches; fails with all that was said when the child ends first or time runs out. */
  saying(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Sends a signal (default SIGKILL) and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

const SAYING_TIMEOUT_MS = 60_000;

/** Starts a program; it is killed when the test ends. */
export function startProcess(
  scope: Scope,
  command: string,
  args: readonly string[],
  { env = process.env, cwd, uid }: ProcessOptions = {},
): TestProcess {
  const child = spawn(command, args, {
    env,
    cwd,
    stdio: "pipe",
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.stderr += text));
  child.stdin.on("error", () => {}); // A child that reads nothing and ends is no failure of the test.
  const ended = endOf(child, said);
  const kill = (signal: NodeJS.Signals = "SIGKILL") => (child.kill(signal), ended);
  atEnd(scope, async () => {
    await kill();
  });
  return { pid: child.pid ?? 0, child, ended, kill, saying: (...asked) => saying(child, said, ...asked) };
}

/** Starts a JavaScript file with this Node. */
export function startNode(
  scope: Scope,
  file: string,
  args: readonly string[] = [],
  options?: ProcessOptions,
): TestProcess {
  return startProcess(scope, process.execPath, ["--enable-source-maps", file, ...args], options);
}

/** Processes of this machine whose environment holds `NAME=value`, exactly; those of others are not seen. */
export function processesWith(name: string, value: string): number[] {
  const wanted = `${name}=${value}`;
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid);
  return pids.filter((pid) => environmentOf(pid).includes(wanted));
}

/** Kills a process; one that has ended already is no failure. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

async function endOf(
  child: ChildProcessWithoutNullStreams,
  said: { stdout: string; stderr: string },
): Promise<Exit> {
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, ...said };
}

function saying(
  child: ChildProcessWithoutNullStreams,
  said: { stdout: string; stderr: string },
  pattern: RegExp,
  timeoutMs = SAYING_TIMEOUT_MS,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      child.stdout.off("data", look);
      child.off("close", giveUp);
      settle();
    };
    const giveUp = () =>
      finish(() => reject(new Error(`Nothing matched ${String(pattern)} in ${JSON.stringify(said)}`)));
    const look = () => {
      const match = pattern.exec(said.stdout);
      if (match) finish(() => resolve(match));
    };
    const timer = setTimeout(giveUp, timeoutMs);
    child.stdout.on("data", look);
    child.on("close", giveUp);
    look();
  });
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // It has ended, or it is somebody else's.
  }
}
