/** A dataset's life in a bucket of Google's, by the command line alone, with credentials from the environment. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { noise } from "../content/noise.js";
import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { type GcsServerProcess, gcsEnvironment, gcsServerProcess } from "../support/gcs.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { MOUNTED } from "./support/mounted.js";
import { copy } from "./support/shell.js";

async function userOf(
  t: TestContext,
  server: GcsServerProcess,
  env: Record<string, string>,
): Promise<{ varve: Varve; folder: (name: string) => Promise<string> }> {
  const varve = await varveUser(t, { ...(await gcsEnvironment(t, server)), ...env });
  const root = await tempDir(t);
  const folder = async (name: string) => {
    await mkdir(join(root, name));
    return join(root, name);
  };
  return { varve, folder };
}

/** A command that must succeed without a word of warning. */
async function quietly(varve: Varve, args: readonly string[]): Promise<void> {
  const { stderr } = await varve.ok(args);
  assert.doesNotMatch(stderr, /warn|google|sdk|deprecat/i, args.join(" "));
}

/** Without the mount's own folder of facts. */
function contentOf(at: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(describeFolder(at)).filter(([path]) => !path.startsWith(".varve")),
  );
}

test("gcs: sync, mount, cp, edit in a writable mount and unmount, all in a bucket", MOUNTED, async (t) => {
  const server = await gcsServerProcess(t);
  const { varve, folder } = await userOf(t, server, {
    VARVE_REMOTE: `gs://bucket/some/prefix?endpoint=${server.endpoint}`,
  });
  const [source, at, out] = [await folder("source"), await folder("mnt"), await folder("out")];
  writeFolder(source, {
    "text/hello": "hello\n",
    "large/random": noise("large", 20_000_000),
    ...Object.fromEntries(
      [...Array(100).keys()].map((index) => [`many/${index}`, noise(`many ${index}`, 5_000)]),
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
  const sentBytes = (await server.counts())["upload.multipart"]!.receivedBytes;
  assert.ok(sentBytes < 500_000, `${sentBytes} bytes sent for the child version`);

  await quietly(varve, ["mount", "lab/data", at]);
  assert.deepEqual(contentOf(at), edited);
  await quietly(varve, ["unmount", at]);
});

test("gcs: wrong credentials and none at all end a command with what to do, and show no secret", async (t) => {
  const server = await gcsServerProcess(t);
  const there = { VARVE_REMOTE: `gs://bucket/x?endpoint=${server.endpoint}` };
  const wrong = await gcsEnvironment(t, { ...server, subjectToken: "a-planted-secret" });
  const tries: [Record<string, string>, RegExp][] = [
    [{ ...there, ...wrong }, /give no access \(invalid_grant\); check GOOGLE_APPLICATION_CREDENTIALS/],
    [{ ...there, GOOGLE_APPLICATION_CREDENTIALS: "" }, /no credentials were found; set GOOGLE_APP/],
  ];
  for (const [env, message] of tries) {
    const { varve, folder } = await userOf(t, server, env);
    const source = await folder("source");
    writeFolder(source, { a: "1" });
    const { code, stdout, stderr } = await varve(["sync", source, "lab/data"]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stdout + stderr, /a-planted-secret|a-subject-that/);
  }
});
