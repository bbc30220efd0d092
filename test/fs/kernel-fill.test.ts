/** Small files that the kernel is given before it asks for them. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { tempDir } from "../support/temp.js";
import { CAN_MOUNT, type Mounted, TIMEOUT, mountSample } from "./support/mounted.js";
import { sample } from "./support/samples.js";

const OPTIONS = { ...TIMEOUT, skip: !CAN_MOUNT };
/** The thread that gives files begins with the first of them. */
const FILLED_AFTER_MS = 1_000;

test(
  "a folder read in order from a warm cache asks for few of its files, and every byte is right",
  OPTIONS,
  async (t) => {
    const mounted = await mountWarm(t);
    const { path } = mounted;
    const [wanted, names] = [contents(), readdirSync(join(path, "many")).sort()];
    const isRight = (name: string) => readFileSync(join(path, "many", name)).equals(wanted.get(name)!);
    const wrong = names.slice(0, 8).filter((name) => !isRight(name));
    await setTimeout(FILLED_AFTER_MS);
    const before = await hitsOf(mounted, 1);
    for (const name of names.slice(8, 200)) if (!isRight(name)) wrong.push(name);
    const asked = (await hitsOf(mounted, 2)) - before;
    for (const name of names.slice(200)) if (!isRight(name)) wrong.push(name);
    t.diagnostic(`${asked} of 192 files were asked for`);
    assert.deepEqual(wrong, []);
    assert.ok(asked < 96, `${asked} of 192 files were asked for`);
  },
);

test("a mount that is taken away while files are given ends as any other", OPTIONS, async (t) => {
  const { path, server, tell } = await mountWarm(t);
  for (const name of readdirSync(join(path, "many")).sort().slice(0, 40))
    readFileSync(join(path, "many", name));
  tell("force");
  const { stdout } = await server.ended;
  assert.match(stdout, /ended \{"unflushedHandles":0,"aborted":true\}\n$/);
});

/** Mounts a sample over a cache that has all of it. */
async function mountWarm(t: TestContext): Promise<Mounted> {
  const cacheDirectory = join(await tempDir(t), "cache");
  await mkdir(cacheDirectory, { mode: 0o700 });
  const cold = await mountSample(t, "small5000", { cacheDirectory });
  for (const name of readdirSync(join(cold.path, "many"))) readFileSync(join(cold.path, "many", name));
  cold.tell("unmount");
  await cold.server.ended;
  return mountSample(t, "small5000", { cacheDirectory });
}

function contents(): Map<string, Buffer> {
  const files = sample("small5000").filter(({ content }) => content !== undefined);
  return new Map(files.map(({ path, content }) => [path.slice("many/".length), Buffer.from(content!)]));
}

/** Blocks that the mount's thread has looked up in memory and on disk so far; `nth` counts how often that was asked. */
async function hitsOf({ server, tell }: Mounted, nth: number): Promise<number> {
  tell("hits");
  const told = await server.saying(new RegExp(`(?:hits .*\\n[^]*?){${nth - 1}}hits (.*)\\n`));
  const { memory, disk } = JSON.parse(told[1]!) as { memory: number; disk: number };
  return memory + disk;
}
