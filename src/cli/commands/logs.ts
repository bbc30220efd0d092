/** `varve logs`: what the process of a mount has written down, also of one that has ended or died. */
import { realMountpoint } from "../../daemon/client.js";
import { lastLogFile } from "../../daemon/log-files.js";
import { readMountState } from "../../daemon/mount-state.js";
import { isAlive } from "../../daemon/process.js";
import { DatasetError } from "../../errors.js";
import type { Home } from "../../home.js";
import { type Cli, type Context, run } from "../context.js";
import { logLine } from "../log-line.js";
import { LogTail, lastLines } from "../log-tail.js";

export function addLogsCommand(cli: Cli): void {
  cli.command(
    "logs <directory>",
    "Show the log of a mount, also of one that has ended or died",
    (yargs) =>
      yargs
        .positional("directory", { type: "string", demandOption: true, describe: "The mount's folder" })
        .option("follow", {
          alias: "f",
          type: "boolean",
          default: false,
          describe: "Go on with what comes, until the mount ends",
        })
        .option("lines", {
          alias: "n",
          type: "number",
          default: 100,
          coerce: countOf,
          describe: "So many of the last lines",
        })
        .example("$0 logs /data -f", "what happens there now")
        .example("$0 logs /data --json | jq 'select(.level >= 40)'", "warnings and errors"),
    (args) =>
      run(args, async (context) => {
        const mountpoint = realMountpoint(args.directory);
        const { home } = context.workspace;
        const path = logOf(home, mountpoint);
        const show = (line: string) => context.output.data(context.json ? line : logLine(line));
        for (const line of lastLines(path, args.lines)) show(line);
        if (args.follow) await follow(context, path, show, () => isServed(home, mountpoint));
      }),
  );
}

/** @throws {DatasetError} `not-found` */
function logOf(home: Home, mountpoint: string): string {
  const path = readMountState(home, mountpoint)?.logFile ?? lastLogFile(home, mountpoint);
  if (path !== undefined) return path;
  const message = `Cannot find a log of "${mountpoint}": no mount of yours was there`;
  throw new DatasetError("not-found", { what: mountpoint }, message);
}

async function follow(
  { signal }: Context,
  path: string,
  show: (line: string) => void,
  isServed: () => boolean,
): Promise<void> {
  const tail = new LogTail(path);
  for (let goesOn = true; goesOn && !signal.aborted;) {
    goesOn = isServed(); // Asked first: what was written before it ended is shown.
    await tail.wait(signal);
    for (const line of tail.next()) show(line);
  }
}

function isServed(home: Home, mountpoint: string): boolean {
  const state = readMountState(home, mountpoint);
  return state !== undefined && isAlive(state);
}

/** @throws {DatasetError} `bad-input` */
function countOf(lines: number): number {
  if (Number.isInteger(lines) && lines >= 0) return lines;
  throw new DatasetError(
    "bad-input",
    { value: String(lines) },
    "Cannot take --lines: it must be a whole number",
  );
}
