/** What every command gets: the workspace its options ask for, where output goes, and one place where failures end. */
import type { Argv } from "yargs";
import { namesIn } from "../daemon/state-file.js";
import { Workspace } from "../dataset/workspace.js";
import { errnoOf, isDatasetError, messageOf } from "../errors.js";
import { failureOf } from "../failure.js";
import { type Home, homeOf, verifyKeysOf } from "../home.js";
import { parseSizeBytes } from "../units.js";
import { exitCodeOf } from "./exit-codes.js";
import { formatCountOf } from "./format.js";
import { withoutPassword } from "./no-secrets.js";
import { type Output, processOutput } from "./output.js";

export interface GlobalOptions {
  json: boolean;
  quiet: boolean;
  catalog: string | undefined;
  cacheDir: string | undefined;
  cacheSize: string | undefined;
  verifyKey: string[] | undefined;
  /** Of commands that can do without a remote. */
  offline?: boolean | undefined;
}

export type Cli = Argv<GlobalOptions>;

export interface Context {
  workspace: Workspace;
  output: Output;
  json: boolean;
  /** Aborted by Ctrl-C: work stops cleanly and says so. */
  signal: AbortSignal;
}

/** Options that every command takes. */
export function withGlobalOptions(cli: Argv): Cli {
  return cli
    .option("json", { type: "boolean", default: false, describe: "Print the result as JSON" })
    .option("quiet", { alias: "q", type: "boolean", default: false, describe: "Say only what matters" })
    .option("catalog", { type: "string", describe: "Catalog file, or postgres:// URL [VARVE_CATALOG]" })
    .option("cache-dir", { type: "string", describe: "Cache folder [VARVE_CACHE_DIR]" })
    .option("cache-size", {
      type: "string",
      describe: "Most the cache may hold, e.g. 10GiB [VARVE_CACHE_SIZE]",
    })
    .option("verify-key", {
      type: "string",
      array: true,
      requiresArg: true,
      describe: "Read only versions signed by this key, or one in this file [VARVE_VERIFY_KEY]",
    })
    .group(
      ["json", "quiet", "catalog", "cache-dir", "cache-size", "verify-key", "help"],
      "Everywhere:",
    ) as unknown as Cli;
}

/** Of commands that make versions. */
export function offlineOption<T>(yargs: Argv<T>) {
  return yargs.option("offline", {
    type: "boolean",
    default: false,
    describe: "Ask no remote: what is made goes into a bundle, for varve import [VARVE_OFFLINE]",
  });
}

/** Runs a command's body and turns what it throws into a message and an exit code. */
export async function run(
  options: GlobalOptions,
  body: (context: Context) => Promise<void>,
  { hint = true }: { hint?: boolean } = {},
): Promise<void> {
  const output = processOutput(options.quiet);
  const interrupt = new AbortController();
  process.once("SIGINT", () => {
    interrupt.abort();
  });
  let workspace: Workspace | undefined;
  let isToHint = hint;
  try {
    const { offline } = options;
    workspace = new Workspace({
      home: homeFrom(options),
      notice: (message) => output.say(message),
      offline: offline || undefined, // Else the environment says.
    });
    await body({ workspace, output, json: options.json, signal: interrupt.signal });
  } catch (error) {
    reportFailure(output, error, { interrupted: interrupt.signal.aborted, json: options.json });
    isToHint &&= !isDatasetError(error, "uncommitted"); // It has said so.
  } finally {
    await workspace?.close();
  }
  if (isToHint && workspace) await hintAtOverlays(workspace.home, output);
}

/**
 * Prints a failure and sets the exit code. `128 + SIGINT` after Ctrl-C, as shells expect.
 *
 * @param options.json Also as data: `{error: {code, message, data}}`.
 */
export function reportFailure(
  output: Output,
  error: unknown,
  { interrupted = false, json = false }: { interrupted?: boolean; json?: boolean } = {},
): void {
  if (interrupted) {
    output.warn("varve: interrupted");
    process.exitCode = 130;
    return;
  }
  output.warn(`varve: ${messageOf(error)}`);
  if (json) output.json({ error: failureOf(error) });
  if (process.env["VARVE_LOG_LEVEL"] === "debug")
    output.warn(error instanceof Error ? (error.stack ?? "") : "");
  process.exitCode = exitCodeOf(error);
}

function homeFrom({ catalog, cacheDir, cacheSize, verifyKey }: GlobalOptions): Partial<Home> {
  const env = {
    ...process.env,
    ...(catalog !== undefined && { VARVE_CATALOG: withoutPassword(catalog) }),
    ...(cacheDir !== undefined && { VARVE_CACHE_DIR: cacheDir }),
  };
  return {
    ...homeOf(env),
    ...(cacheSize !== undefined && { cacheBytes: parseSizeBytes(cacheSize) }),
    ...(verifyKey && { verifyKeys: verifyKeysOf(verifyKey) }),
  };
}

/** One line after every command while changes of some mount lie uncommitted. */
async function hintAtOverlays(home: Home, output: Output): Promise<void> {
  const count = await countOfAbandoned(home);
  if (count === 0) return;
  const what = formatCountOf(count, "mount has", "mounts have");
  output.say(`${what} uncommitted changes: varve recover lists them`);
}

/** A folder of overlays that this user may not read is no reason to fail after what the command was for. */
async function countOfAbandoned(home: Home): Promise<number> {
  try {
    if (namesIn(home.overlaysDir).length === 0) return 0;
    const { abandonedOverlays } = await import("../dataset/overlays.js");
    return abandonedOverlays(home).length;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 0;
  }
}
