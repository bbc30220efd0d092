/** What is known of logs without writing one: their levels, and where what came earlier lies. */
import { DatasetError } from "./errors.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level `VARVE_LOG_LEVEL` asks for. Default `info`. @throws {DatasetError} `bad-input` */
export function logLevelOf(env: Readonly<Record<string, string | undefined>>): LogLevel {
  const asked = env["VARVE_LOG_LEVEL"] || "info";
  const level = LOG_LEVELS.find((known) => known === asked);
  if (level) return level;
  const choice = LOG_LEVELS.join(", ");
  throw new DatasetError(
    "bad-input",
    { value: asked },
    `Cannot log at level "${asked}": the levels are ${choice}`,
  );
}

/** Where the events before those of a log lie, once it has grown to its bound. */
export function earlierLog(path: string): string {
  return `${path}.1`;
}
