/**
 * Who keeps a mount busy, told by `/proc` alone: nothing in the mount is looked at, for that might wait for a remote.
 * Root sees all processes, others their own. Source: https://man7.org/linux/man-pages/man5/proc.5.html
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";

import type { MountUser } from "../../../errors.js";
import type { MountRecord } from "./mounts.js";

/** What needs a look at a process's memory waits while that process changes it, which may be long. */
const MEMORY_WAIT_MS = 200;
/** Of a command line; longer ones are cut. */
const COMMAND_MAX_CHARS = 200;

/** The processes that stand in a mount, or have files of it open or mapped; this one left out. In under a second. */
export async function usersOf(mount: MountRecord): Promise<MountUser[]> {
  const all = listing("/proc").map(Number);
  const pids = all.filter((pid) => pid > 0 && pid !== process.pid);
  const users = new Set(pids.filter((pid) => linksOf(pid).some((path) => liesIn(mount, path))));
  const others = pids.filter((pid) => !users.has(pid));
  await inTime(others, async (pid) => {
    if (await maps(mount, pid)) users.add(pid);
  });
  const commands = new Map<number, string>();
  await inTime([...users], async (pid) => {
    commands.set(pid, await commandLineOf(pid));
  });
  const sorted = [...users].sort((a, b) => a - b);
  return sorted.map((pid) => ({ pid, command: commands.get(pid) || shortNameOf(pid) }));
}

/** Where a process stands, what it takes for the root folder, what it runs, and what it has open. */
function linksOf(pid: number): string[] {
  const opened = listing(`/proc/${pid}/fd`).map((fd) => `fd/${fd}`);
  return ["cwd", "root", "exe", ...opened].flatMap((link) => {
    try {
      return readlinkSync(`/proc/${pid}/${link}`);
    } catch {
      return []; // closed meanwhile, or somebody else's
    }
  });
}

function liesIn({ path: mountpoint }: MountRecord, path: string): boolean {
  return path === mountpoint || path.startsWith(`${mountpoint}/`);
}

/** Whether a process has files of the mount in its memory: it may have closed them long ago. */
async function maps({ device }: MountRecord, pid: number): Promise<boolean> {
  const numbers = device.split(":").map((number) => Number(number).toString(16).padStart(2, "0"));
  const text = await readFile(`/proc/${pid}/maps`, "latin1").catch(() => "");
  return text.includes(` ${numbers.join(":")} `);
}

/** The command line as it was given; empty where it cannot be told. */
async function commandLineOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const words = text.replace(/\0+$/, "").replaceAll("\0", " ");
  return words.replace(/\p{Cc}/gu, "?").slice(0, COMMAND_MAX_CHARS);
}

/** The name that the kernel keeps, of at most 15 bytes. */
function shortNameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "a process that has ended";
  }
}

function listing(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // ended meanwhile, or somebody else's
  }
}

async function inTime(pids: readonly number[], look: (pid: number) => Promise<void>): Promise<void> {
  await Promise.race([Promise.all(pids.map(look)), setTimeout(MEMORY_WAIT_MS, undefined, { ref: false })]);
}
