/** Ordinary tools and a mount: this process may wait for both, since a mount is served by a process of its own. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Varve } from "../../support/varve.js";

const run = promisify(execFile);

/** `cp -a` of all that is in a folder, a mount's own `.varve` left out. */
export async function copy(from: string, to: string): Promise<void> {
  await run("sh", [
    "-c",
    `cd "$1" && find . -mindepth 1 -maxdepth 1 ! -name .varve -print0 | xargs -0 cp -a -t "$2"`,
    "sh",
    from,
    to,
  ]);
  await run("touch", ["-r", from, to]);
}

/** Runs a program and gives how long it took. */
export async function timed(program: string, ...args: string[]): Promise<number> {
  const started = performance.now();
  await run(program, args);
  return performance.now() - started;
}

/** Digests of a finished version. */
export async function digestsIn(
  varve: Varve,
  name: string,
): Promise<{ digest: string; contentDigest: string }> {
  const rows = (await varve.ok(["versions", name, "--json"])).json() as {
    digest: string;
    contentDigest: string;
  }[];
  return rows.at(-1)!;
}
