import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import type { Scope } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";

interface Got {
  path: string;
  kind: string;
  writtenFiles?: number;
}

async function userWithVersion(scope: Scope, env: Record<string, string> = {}): Promise<Varve> {
  const varve = await varveUser(scope, env);
  const source = await tempDir(scope);
  writeFolder(source, { a: "one", "d/b": "two" });
  await varve.ok(["sync", source, "p/d"]);
  return varve;
}

async function get(varve: Varve, ...args: string[]): Promise<Got> {
  return (await varve.ok(["get", "p/d", ...args, "--json"])).json() as Got;
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !isTrue(); tries++) {
    assert.ok(tries < 600, `waited in vain until ${what}`);
    await sleep(100);
  }
}

test("get without a folder mounts the version at a path that stays, once for all who ask", async (t) => {
  const varve = await userWithVersion(t);
  const [one, other] = await Promise.all([get(varve), get(varve, "--mount")]);
  assert.deepEqual([one.kind, one], ["mount", other]);
  assert.equal(readFileSync(join(one.path, "d/b"), "utf8"), "two");
  const mounts = (await varve.ok(["status", "--json"])).json() as { mountpoint: string; writable: boolean }[];
  assert.deepEqual(
    mounts.map(({ mountpoint, writable }) => [mountpoint, writable]),
    [[one.path, false]],
  );
});

test("a mount that get made is gone some time after those it was made for, and made anew for the next", async (t) => {
  const varve = await userWithVersion(t, { VARVE_COPY_IDLE: "1" });
  // Its parent is this process, which lives on; so another is put between.
  const cli = new URL("../../src/cli.js", import.meta.url).pathname;
  const between = () =>
    execFileSync("sh", ["-c", `"${process.execPath}" "${cli}" get p/d; true`], {
      encoding: "utf8",
      env: {
        ...process.env,
        VARVE_HOME: varve.home,
        VARVE_CATALOG: varve.places.catalogPath,
        VARVE_COPY_IDLE: "1",
      },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  const path = between();
  await until(() => !existsSync(path), "the folder of the mount is gone");
  assert.deepEqual((await varve.ok(["status", "--json"])).json(), []);
  assert.deepEqual(
    readdirSync(join(varve.home, "copies")).filter((name) => name.endsWith(".users")),
    [],
  );
  const again = await get(varve);
  assert.deepEqual([again.path, readFileSync(join(again.path, "a"), "utf8")], [path, "one"]);
});

test("get --copy gives files; copies lists them and clear removes what nobody uses", async (t) => {
  const varve = await userWithVersion(t);
  const { path, kind, writtenFiles } = await get(varve, "--copy");
  assert.deepEqual([kind, writtenFiles, readdirSync(path)], ["files", 2, ["a", "d"]]);
  assert.equal((await get(varve, "--copy")).writtenFiles, 0);
  const listed = (await varve.ok(["copies", "--json"])).json() as {
    copies: { path: string; pids: number[] }[];
  };
  assert.deepEqual(
    listed.copies.map((copy) => [copy.path, copy.pids]),
    [[path, [process.pid]]],
  );
  const kept = (await varve.ok(["copies", "clear", "--json"])).json() as { copies: number; inUse: number };
  assert.deepEqual([kept.copies, kept.inUse, existsSync(path)], [0, 1, true]);
});

test("some files of a version come as files; with --mount that is wrong use", async (t) => {
  const varve = await userWithVersion(t);
  const answer = await varve(["get", "p/d", "--mount", "--file", "a"]);
  assert.deepEqual([answer.code, answer.stdout], [2, ""]);
  const some = await get(varve, "--file", "a");
  assert.deepEqual([some.kind, readdirSync(some.path)], ["files", ["a"]]);
});
