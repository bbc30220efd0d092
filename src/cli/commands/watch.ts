/** `varve watch`: runs a command for what happens to versions, one after another. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type EventKind, type WatchEvent, watch } from "../../dataset/watch.js";
import { messageOf } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";

const KINDS: readonly EventKind[] = ["completed", "published", "tagged", "archived"];

export function addWatchCommand(cli: Cli): void {
  cli.command(
    "watch [command..]",
    "Run a command for each version that is completed, published, tagged or archived",
    (yargs) =>
      yargs
        .positional("command", {
          type: "string",
          array: true,
          describe:
            "After --; {id}, {ref}, {event}, {kind} and {tag} are filled in. Without it, events are printed",
        })
        .option("on", {
          choices: KINDS,
          array: true,
          requiresArg: true,
          describe: "Which events (default: all)",
        })
        .option("project", { type: "string", requiresArg: true, describe: "This project and those below" })
        .option("name", { type: "string", requiresArg: true, describe: "Regular expression for names" })
        .option("tag", { type: "string", requiresArg: true, describe: "Only with this tag" })
        .option("as", { type: "string", requiresArg: true, describe: "Name: goes on where it stopped" })
        .option("from", {
          choices: ["now", "start"] as const,
          default: "now" as const,
          describe: "Where a new watcher begins",
        })
        .option("interval", { type: "number", default: 5, describe: "Seconds between two looks" })
        .option("attempts", {
          type: "number",
          default: 3,
          describe: "Runs of a command that fails, before it is given up",
        })
        .example(
          "$0 watch --on published --as train -- ./train.sh {ref}",
          "each version that is published, once",
        ),
    (args) =>
      run(args, async (context) => {
        const { on, project, name, tag, as, from, attempts } = args;
        const command = commandAfterDashes();
        const filter = { on, project, name, tag, as, from, intervalMs: args.interval * 1000 };
        for await (const event of watch({
          ...filter,
          workspace: context.workspace,
          signal: stopping(context),
        }))
          if (command.length === 0) print(context, event);
          else await attend(context, event, command, attempts);
      }),
  );
}

/** As it was written, options and all. */
function commandAfterDashes(): string[] {
  const at = process.argv.indexOf("--");
  return at < 0 ? [] : process.argv.slice(at + 1);
}

/** Ctrl-C and SIGTERM alike: the command that runs comes to its end first. */
function stopping({ signal }: Context): AbortSignal {
  const terminate = new AbortController();
  process.once("SIGTERM", () => terminate.abort());
  return AbortSignal.any([signal, terminate.signal]);
}

function print({ output, json }: Context, event: WatchEvent): void {
  const { event: number, kind, id, reference, tag } = event;
  if (json) output.json({ event: number, kind, id, reference, tag });
  else output.data(`${number}  ${kind}${tag === undefined ? "" : ` ${tag}`}  ${reference}`);
}

/** A command that fails is tried again; then the failure is noted in the catalog, and the next event comes. */
async function attend(
  { output }: Context,
  event: WatchEvent,
  command: readonly string[],
  attempts: number,
): Promise<void> {
  for (let attempt = 1; attempt <= Math.max(1, attempts); attempt++) {
    const problem = await problemOf(event, command);
    if (problem === undefined) return;
    output.warn(`Event ${event.event} (${event.kind} ${event.reference}), attempt ${attempt}: ${problem}`);
    if (attempt >= attempts) event.fail(problem);
  }
}

/** Runs the command once; a session of its own, so that Ctrl-C ends the watch and not the command. */
async function problemOf(event: WatchEvent, command: readonly string[]): Promise<string | undefined> {
  const values = valuesOf(event);
  const [program = "", ...rest] = command.map((word) => filledIn(word, values));
  const env = {
    ...process.env,
    VARVE_EVENT: values.event,
    VARVE_REF: values.ref,
    VARVE_VERSION_ID: values.id,
  };
  try {
    const child = spawn(program, rest, { stdio: "inherit", detached: true, env });
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    return code === 0 ? undefined : `${program} ended with ${signal ?? `exit code ${code}`}`;
  } catch (error) {
    return messageOf(error);
  }
}

type Values = Record<"id" | "ref" | "event" | "kind" | "tag", string>;

function valuesOf({ event, kind, id = "", reference, tag = "" }: WatchEvent): Values {
  return { id, ref: reference, event: String(event), kind, tag };
}

function filledIn(word: string, values: Values): string {
  return word.replace(/\{(id|ref|event|kind|tag)\}/g, (_, name: keyof Values) => values[name]);
}
