/** The built command line as a child process, with folders of its own for each test. */
import { join } from "node:path";

import { type Home, homeOf } from "../../src/home.js";
import { testCatalog } from "./catalog-place.js";
import { type Scope, atEnd } from "./cleanup.js";
import { detachBelow } from "./mounts.js";
import { type TestProcess, killQuietly, processesWith, startNode } from "./processes.js";
import { tempDir } from "./temp.js";

export interface RunOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Standard input; it is closed after it. Default: empty. */
  input?: string | Uint8Array;
}

/** What a command answered. */
export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Standard output parsed; fails with all that was said when it is no JSON. */
  json(): unknown;
}

/** A user's varve. Call it with arguments: `await varve(["list", "--json"])`. */
export interface Varve {
  (args: readonly string[], options?: RunOptions): Promise<Answer>;
  /** As a call, but fails with all that was said unless the command exits with 0. */
  ok(args: readonly string[], options?: RunOptions): Promise<Answer>;
  /** Starts a command and does not wait for it. */
  start(args: readonly string[], options?: RunOptions): TestProcess;
  /** This user's `VARVE_HOME`. */
  readonly home: string;
  /** The same user's folders and catalog for code that runs in the process of the test; the remote is the default. */
  readonly places: Home;
}

const CLI = new URL("../../src/cli.js", import.meta.url).pathname;

/**
 * A user with an empty `VARVE_HOME`. At the end of the test, what that user still has mounted or running is ended.
 *
 * @param folder Where `VARVE_HOME` is to lie. Default: a new folder of its own.
 */
export async function varveUser(
  scope: Scope,
  env: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<Varve> {
  const home = join(folder ?? (await tempDir(scope)), "home");
  const catalog = await testCatalog(scope);
  const own = { VARVE_HOME: home, ...(catalog !== undefined && { VARVE_CATALOG: catalog }) };
  atEnd(scope, () => endAllOf(home));
  const start = (args: readonly string[], options: RunOptions = {}) => {
    const started = startNode(scope, CLI, args, {
      cwd: options.cwd,
      env: environment({ ...own, ...env, ...options.env, VARVE_HOME: home }),
    });
    started.child.stdin.end(options.input ?? "");
    return started;
  };
  const run = async (args: readonly string[], options?: RunOptions) =>
    answerOf(await start(args, options).ended);
  const ok = async (args: readonly string[], options?: RunOptions) =>
    expectDone(args, await run(args, options));
  return Object.assign(run, { ok, start, home, places: homeOf(own) });
}

/** This process's environment without what steers varve or colours its output, and with `changes`. */
function environment(changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VARVE_|XDG_|FORCE_COLOR$|NODE_TEST_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...changes };
}

function answerOf(said: { code: number | null; stdout: string; stderr: string }): Answer {
  const { code, stdout, stderr } = said;
  const json = (): unknown => {
    try {
      return JSON.parse(stdout);
    } catch (cause) {
      throw new Error(`Expected JSON, got ${JSON.stringify({ code, stdout, stderr })}`, { cause });
    }
  };
  return { code, stdout, stderr, json };
}

function expectDone(args: readonly string[], answer: Answer): Answer {
  if (answer.code === 0) return answer;
  throw new Error(
    `varve ${args.join(" ")} exited with ${String(answer.code)}\n${answer.stdout}${answer.stderr}`,
  );
}

/** A mount's process is no child of the test; it is known by the home it was started with. */
function endAllOf(home: string): void {
  detachBelow(home);
  for (const pid of processesWith("VARVE_HOME", home)) killQuietly(pid);
}
