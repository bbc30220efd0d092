/** A user of the built command line with an empty home, whose requests to the remote and whose CPU time are counted. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { readMountState } from "../../src/daemon/mount-state.js";
import { homeOf } from "../../src/home.js";

/** Built file by file, where a remote of its own can be put in; and as it is shipped, for times. */
const CLI = {
  counted: fileURLToPath(new URL("../../src/cli.js", import.meta.url)),
  timed: fileURLToPath(new URL("../../varve/cli.js", import.meta.url)),
};
const PRELOADED = {
  counted: ["note-end.js", "counted-remote.js"],
  timed: ["note-end.js"],
};

/** `counted`: requests and bytes are told, and everything takes longer. `timed`: as users have it. */
export type Measuring = keyof typeof CLI;

/** What was asked of the remote, and what the processes that have ended took. */
export interface Spent {
  requests: number;
  readBytes: number;
  sentBytes: number;
  cpuMs: number;
  maxRssBytes: number;
}

/** The process of a mount: CPU time so far, and the most memory it ever had. */
export interface Daemon {
  pid: number;
  cpuMs: number;
  maxRssBytes: number;
}

export class CountedUser {
  readonly home: string;
  readonly mountpoint: string;
  readonly #log: string;

  /** @param remote A folder that holds a remote. */
  constructor(
    folder: string,
    private readonly remote: string,
    private readonly measuring: Measuring,
  ) {
    this.home = join(folder, "home");
    this.mountpoint = join(folder, "mnt");
    this.#log = join(folder, "requests");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(this.mountpoint, { recursive: true });
  }

  /** Runs a command; gives what it printed. */
  varve(...args: string[]): string {
    const { measuring, remote } = this;
    const preloaded = PRELOADED[measuring].map((name) => `--import=${new URL(name, import.meta.url).href}`);
    const env = {
      ...process.env,
      VARVE_HOME: this.home,
      VARVE_REMOTE: measuring === "counted" ? `counted://${remote}` : remote,
      NODE_OPTIONS: preloaded.join(" "),
      BENCH_LOG: this.#log,
    };
    return execFileSync(process.execPath, [CLI[measuring], ...args], {
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  /** Spent since it was asked last. */
  takeSpent(): Spent {
    const text = existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
    rmSync(this.#log, { force: true });
    const spent = { requests: 0, readBytes: 0, sentBytes: 0, cpuMs: 0, maxRssBytes: 0 };
    for (const line of text.split("\n").slice(0, -1)) note(spent, line.split(" "));
    return spent;
  }

  /** The mount's process, while there is one. */
  daemon(): Daemon | undefined {
    const state = readMountState(homeOf({ VARVE_HOME: this.home }), this.mountpoint);
    return state && { pid: state.pid, cpuMs: cpuMsOf(state.pid), maxRssBytes: maxRssBytesOf(state.pid) };
  }
}

function cpuMsOf(pid: number): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user, system] = fields.split(" ").slice(11, 13).map(Number) as [number, number];
  return (user + system) * 10; // The kernel counts in hundredths of a second (`man 5 proc`).
}

function maxRssBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

function note(spent: Spent, [what, key, amount]: string[]): void {
  if (what === "end") {
    spent.cpuMs += Number(key);
    spent.maxRssBytes = Math.max(spent.maxRssBytes, Number(amount) * 1024);
    return;
  }
  spent.requests += 1;
  if (what === "read") spent.readBytes += Number(amount);
  if (what === "put") spent.sentBytes += Number(amount);
}
