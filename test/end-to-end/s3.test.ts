/** A dataset's life in a bucket, by the command line alone, with credentials from the environment. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { keysOf } from "../remote/suite.js";
import { noise } from "../content/noise.js";
import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import {
  type S3ServerProcess,
  s3Environment,
  s3RemoteOn,
  s3ServerProcess,
  useAccount,
} from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { type Answer, type Varve, varveUser } from "../support/varve.js";
import { MOUNTED } from "./support/mounted.js";
import { copy } from "./support/shell.js";

const REMOTE = "s3://bucket/some/prefix";

interface User {
  varve: Varve;
  folder: (name: string) => Promise<string>;
}

async function userOf(
  t: TestContext,
  server: S3ServerProcess,
  env: Record<string, string> = {},
): Promise<User> {
  const varve = await varveUser(t, { ...s3Environment(server), VARVE_REMOTE: REMOTE, ...env });
  const root = await tempDir(t);
  const folder = async (name: string) => {
    await mkdir(join(root, name));
    return join(root, name);
  };
  return { varve, folder };
}

/** A command that must succeed without a word of warning. */
async function quietly(varve: Varve, args: readonly string[]): Promise<Answer> {
  const answer = await varve.ok(args);
  assert.doesNotMatch(answer.stderr, /warn|aws|sdk/i, args.join(" "));
  return answer;
}

/** Without the mount's own folder of facts. */
function contentOf(at: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(describeFolder(at)).filter(([path]) => !path.startsWith(".varve")),
  );
}

test("sync, mount, cp, edit in a writable mount and unmount, all in a bucket", MOUNTED, async (t) => {
  const server = await s3ServerProcess(t);
  const { varve, folder } = await userOf(t, server);
  const [source, at, out] = [await folder("source"), await folder("mnt"), await folder("out")];
  writeFolder(source, {
    "text/hello": "hello\n",
    "large/random": noise("large", 20_000_000),
    ...Object.fromEntries(
      [...Array(200).keys()].map((index) => [`many/${index}`, noise(`many ${index}`, 5_000)]),
    ),
  });
  await quietly(varve, ["sync", source, "lab/data"]);
  await quietly(varve, ["mount", "lab/data", at]);
  await copy(at, out);
  await quietly(varve, ["unmount", at]);
  assert.deepEqual(contentOf(out), contentOf(source));

  await quietly(varve, ["mount", "--writable", "lab/data", at]);
  await rename(join(at, "many"), join(at, "moved"));
  await appendFile(join(at, "text/hello"), "again\n");
  await writeFile(join(at, "new"), randomBytes(100_000));
  await rm(join(at, "moved/7"));
  const edited = contentOf(at);
  await server.reset();
  await quietly(varve, ["unmount", at]);
  const sentBytes = (await server.counts())["PutObject"]!.receivedBytes;
  assert.ok(sentBytes < 500_000, `${sentBytes} bytes sent for the child version`);

  await quietly(varve, ["mount", "lab/data", at]);
  assert.deepEqual(contentOf(at), edited);
  await quietly(varve, ["unmount", at]);
  useAccount(server);
  const outside = (await keysOf(s3RemoteOn(t, server), "")).filter((key) => !key.startsWith("some/prefix/"));
  assert.deepEqual(outside, []);
});

test("wrong credentials, none at all and a missing bucket end a command with what to do, and show no secret", async (t) => {
  const server = await s3ServerProcess(t);
  const tries: [Record<string, string>, RegExp][] = [
    [{ AWS_SECRET_ACCESS_KEY: "a-planted-secret" }, /check AWS_SECRET_ACCESS_KEY/],
    [
      { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
      /no credentials were found; set AWS_ACCESS_KEY_ID/,
    ],
    [{ VARVE_REMOTE: "s3://nowhere/x" }, /there is no bucket "nowhere"/],
  ];
  for (const [env, message] of tries) {
    const { varve, folder } = await userOf(t, server, env);
    const source = await folder("source");
    writeFolder(source, { a: "1" });
    const { code, stdout, stderr } = await varve(["sync", source, "lab/data"]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stdout + stderr, /a-planted-secret|a-secret-that/);
  }
});
