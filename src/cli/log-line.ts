/** One line of a log, JSON, as people read it. */
import { printable } from "./format.js";

/** Numbers of pino. */
const LEVELS: Readonly<Record<number, string>> = { 20: "debug", 30: "info ", 40: "WARN ", 50: "ERROR" };

/** Facts that are the same in every line of a mount, or are shown elsewhere. */
const KNOWN = new Set(["level", "time", "pid", "msg"]);

/** `2026-11-30 16:01:22.512Z WARN  remote failed  what="read of …" attempt=1`; what is no line of JSON, as it is. */
export function logLine(line: string): string {
  const facts = factsIn(line);
  if (!facts) return printable(line);
  const { level, time, msg } = facts;
  const at = new Date(Number(time)).toISOString().replace("T", " ");
  const others = Object.entries(facts).filter(([name]) => !KNOWN.has(name));
  const told = others.map(([name, value]) => `${name}=${shown(value)}`);
  return printable([`${at} ${LEVELS[Number(level)] ?? String(level)} ${String(msg)}`, ...told].join("  "));
}

function factsIn(line: string): Record<string, unknown> | undefined {
  try {
    const facts = JSON.parse(line) as unknown;
    const isEvent = typeof facts === "object" && facts !== null && "msg" in facts && "time" in facts;
    return isEvent && Number.isFinite(Number(facts.time)) ? facts : undefined;
  } catch {
    return undefined;
  }
}

/** An error by its message; a word as it is; all else as JSON. */
function shown(value: unknown): string {
  if (typeof value === "object" && value !== null && "message" in value) return JSON.stringify(value.message);
  if (typeof value === "string" && /^[\w./:@-]+$/.test(value)) return value;
  return JSON.stringify(value);
}
