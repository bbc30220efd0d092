/** What shells offer while a command is typed: asked of the real shells. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";

/** A user with `vision/cats@1.0.0` and `vision/dogs`, and a folder with `varve` on it for PATH. */
async function userOfShells(t: TestContext): Promise<{ varve: Varve; env: NodeJS.ProcessEnv }> {
  const varve = await varveUser(t);
  const folder = join(await tempDir(t), "files");
  writeFolder(folder, { a: "a" });
  for (const name of ["vision/cats", "vision/dogs"]) await varve.ok(["sync", folder, name]);
  const bin = await tempDir(t);
  const program = new URL("../../src/cli.js", import.meta.url).pathname;
  writeFileSync(join(bin, "varve"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(join(bin, "varve"), 0o755);
  const env = {
    ...process.env,
    VARVE_HOME: varve.home,
    VARVE_CATALOG: varve.places.catalogPath,
    HOME: bin,
    PATH: `${bin}:${process.env["PATH"]}`,
  };
  return { varve, env };
}

const IN_SHELL: Record<string, (line: string) => string[]> = {
  bash: (line) => [
    "--norc",
    "-c",
    `source <(varve completion bash); COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _varve; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (line) => [
    "-f",
    "-c",
    `compdef() { : }; compadd() { shift; print -rl -- "$@" }; _files() { print files };
     source <(varve completion zsh); words=(\${(Q)\${(z)\${:-"${line}x"}}}); words[-1]=\${words[-1]%x}; CURRENT=\${#words}; _varve`,
  ],
  fish: (line) => ["--no-config", "-c", `varve completion fish | source; complete -C '${line}'`],
};

for (const [shell, argsFor] of Object.entries(IN_SHELL))
  test(`${shell} completes commands, options, datasets and labels`, async (t) => {
    const { env } = await userOfShells(t);
    const offered = (line: string) =>
      execFileSync(shell, argsFor(line), { env, encoding: "utf8" }).split("\n").filter(Boolean).sort();
    const afterAt = shell === "bash" ? ["1.0.0", "latest"] : ["vision/cats@1.0.0", "vision/cats@latest"];
    assert.deepEqual(offered("varve unm"), ["unmount"]);
    assert.deepEqual(offered("varve cache p"), ["pin"]);
    assert.deepEqual(offered("varve mount --writ"), ["--writable"]);
    assert.deepEqual(offered("varve ls vision/"), ["vision/cats", "vision/dogs"]);
    assert.deepEqual(offered("varve cat vision/cats@"), afterAt);
    assert.deepEqual(offered("varve create x/y --parent vision/d"), ["vision/dogs"]);
  });

test("where nothing of varve's can stand, nothing is offered, so that shells offer files", async (t) => {
  const { varve } = await userOfShells(t);
  for (const words of [
    ["add", ""],
    ["sync", ""],
    ["cat", "vision/cats", ""],
  ])
    assert.equal((await varve.ok(["--complete", ...words])).stdout, "");
});
