/** `varve mount` that ends before there is a mount: its process, which looks for the version meanwhile, leaves nothing. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { homeOf } from "../../src/home.js";
import { writeFolder } from "../dataset/support/folders.js";
import { mountsBelow } from "../support/mounts.js";
import { processesWith } from "../support/processes.js";
import { type Varve, varveUser } from "../support/varve.js";
import { DATASET, MOUNTED, until } from "./support/mounted.js";

const FAR = new URL("./support/far.js", import.meta.url).href;

test(
  "a command that is killed while its mount is made leaves neither mount nor process",
  MOUNTED,
  async (t) => {
    const { varve, path, env } = await userOfFarRemote(t);
    const command = varve.start(["mount", "--writable", DATASET, path], { env });
    await until("a request", () => existsSync(env.FAR_LOG));
    await command.kill("SIGKILL");
    await until("the end of its process", () => processesWith("VARVE_HOME", varve.home).length === 0);
    assert.deepEqual(mountsBelow(path), []);
    assert.equal((await varve.ok(["status"])).stderr, "");
  },
);

test(
  "a version that is not there is told of with exit code 3, and no log stays of it",
  MOUNTED,
  async (t) => {
    const { varve, path } = await userOfFarRemote(t);
    rmSync(logsOf(varve), { recursive: true, force: true });
    const { code, stderr } = await varve(["mount", `${DATASET}@9.9.9`, path]);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /9\.9\.9/);
    assert.deepEqual(readdirSync(logsOf(varve)), []);
  },
);

/** A dataset in a remote that is far away, and an empty folder. */
async function userOfFarRemote(t: TestContext) {
  const varve = await varveUser(t, { NODE_OPTIONS: `--import=${FAR}` });
  const [folder, path, log] = ["files", "mnt", "asked"].map((name) => join(varve.home, "..", name)) as [
    string,
    string,
    string,
  ];
  writeFolder(folder, { a: "a" });
  mkdirSync(path);
  await varve.ok(["sync", folder, DATASET, "--remote", `far://${varve.home}-remote`]);
  return { varve, path, env: { FAR_LOG: log } };
}

function logsOf({ home }: Varve): string {
  return homeOf({ VARVE_HOME: home }).logsDir;
}
