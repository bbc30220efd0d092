/** A dataset's life in a container of Azure, by the command line alone, with credentials from the environment. */
import assert from "node:assert/strict";
import { appendFile, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, after, test } from "node:test";

import { noise } from "../content/noise.js";
import { describeFolder, writeFolder } from "../dataset/support/folders.js";
import { type AzureContainer, azureContainer, azureEnvironment, startAzurite } from "../support/azurite.js";
import { tempDir } from "../support/temp.js";
import { type Answer, type Varve, varveUser } from "../support/varve.js";
import { MOUNTED } from "./support/mounted.js";
import { copy } from "./support/shell.js";

const azurite = await startAzurite({ after });

/** Azurite itself, without the test's proxy: a test that reads a mount in its own process would keep that from answering. */
async function userOf(t: TestContext, env: Record<string, string> = {}) {
  const container = await azureContainer(t, azurite);
  const remote = `azure://${azurite.account}.blob.test/${container.container}/some/prefix?endpoint=${azurite.endpoint}`;
  const varve = await varveUser(t, { ...azureEnvironment(azurite), VARVE_REMOTE: remote, ...env });
  const root = await tempDir(t);
  const folder = async (name: string) => {
    await mkdir(join(root, name));
    return join(root, name);
  };
  return { varve, folder, container };
}

/** A command that must succeed without a word of warning. */
async function quietly(varve: Varve, args: readonly string[]): Promise<Answer> {
  const answer = await varve.ok(args);
  assert.doesNotMatch(answer.stderr, /warn|azure-sdk|deprecat/i, args.join(" "));
  return answer;
}

/** Without the mount's own folder of facts. */
function contentOf(at: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(describeFolder(at)).filter(([path]) => !path.startsWith(".varve")),
  );
}

test("sync, mount, cp, edit in a writable mount and unmount, all in Azure", MOUNTED, async (t) => {
  const { varve, folder, container } = await userOf(t);
  const [source, at, out] = [await folder("source"), await folder("mnt"), await folder("out")];
  writeFolder(source, {
    "text/hello": "hello\n",
    "large/random": noise("large", 17_000_000),
    ...Object.fromEntries(
      [...Array(50).keys()].map((index) => [`many/${index}`, noise(`many ${index}`, 5_000)]),
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
  await writeFile(join(at, "new"), noise("new", 100_000));
  await rm(join(at, "moved/7"));
  const edited = contentOf(at);
  await quietly(varve, ["unmount", at]);

  await quietly(varve, ["mount", "lab/data", at]);
  assert.deepEqual(contentOf(at), edited);
  await quietly(varve, ["unmount", at]);
  assert.deepEqual(await namesOutside(container, "some/prefix/"), []);
  assert.deepEqual(await filesWith(varve.home, container.key), []);
});

test("a planted secret that is wrong ends a command with what to do, and is shown nowhere", async (t) => {
  const secret = Buffer.from("a-planted-secret").toString("base64");
  const { varve, folder } = await userOf(t, { AZURE_STORAGE_KEY: secret });
  const source = await folder("source");
  writeFolder(source, { a: "1" });
  const { code, stdout, stderr } = await varve(["sync", source, "lab/data"]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /check AZURE_STORAGE_KEY/);
  assert.ok(!(stdout + stderr).includes(secret));
  assert.deepEqual(await filesWith(varve.home, secret), []);
});

async function namesOutside({ direct }: AzureContainer, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of direct.listBlobsFlat()) if (!name.startsWith(prefix)) names.push(name);
  return names;
}

/** Files below a folder (catalog, logs, cache) that hold `text`. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  assert.ok(files.length > 0);
  const holding = await Promise.all(files.map(async (file) => (await readFile(file)).includes(text)));
  return files.filter((_, index) => holding[index]);
}
