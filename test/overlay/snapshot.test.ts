/** A snapshot of a live overlay: what is changed afterwards is not in it. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { MiB } from "../../src/units.js";
import { type Fixture, overlayOver } from "./support/fixture.js";
import { pattern } from "./support/memory-base.js";

const SIZES = { small: 10_000, large: 700_000 };

const change = fc.record({
  file: fc.constantFrom("small" as const, "large" as const, "base" as const),
  how: fc.constantFrom(
    "write" as const,
    "write" as const,
    "truncate" as const,
    "punch" as const,
    "remove" as const,
  ),
  at: fc.nat(800_000),
  length: fc.integer({ min: 1, max: 100_000 }),
  readAt: fc.nat(600_000),
});

test("a snapshot reads the bytes of its moment, whatever is written, cut or removed between its reads", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const ended: (() => Promise<void>)[] = [];
      const scope = { after: (work: () => Promise<void>) => void ended.push(work) };
      try {
        await interleave(await overlayOver(scope, { base: { content: pattern(400_000, 1) } }), changes);
      } finally {
        for (const work of ended) await work();
      }
    }),
    { numRuns: 25, includeErrorInReport: true },
  );
});

async function interleave(
  { client, snapshot }: Fixture,
  changes: { file: "small" | "large" | "base"; how: string; at: number; length: number; readAt: number }[],
): Promise<void> {
  client.put("small", pattern(SIZES.small, 2));
  client.put("large", pattern(SIZES.large, 3));
  client.patch("base", 100_000, pattern(50_000, 4));
  const wanted = new Map(["small", "large", "base"].map((path) => [path, client.whole(path)]));
  const inos = new Map([...wanted.keys()].map((path) => [path, client.resolve(path).ino]));
  client.overlay.beginSnapshot("s");
  client.patch("small", 0, pattern(5, 9)); // before anybody has opened the snapshot
  const taken = await snapshot("s");
  const contents = new Map<string, Awaited<ReturnType<typeof taken.openContent>>>();
  for (const [path, ino] of inos) contents.set(path, await taken.openContent(ino));
  for (const [index, { file, how, at, length, readAt }] of changes.entries()) {
    const bytes = wanted.get(file)!;
    const [start, end] = [readAt % bytes.length, Math.min((readAt % bytes.length) + 90_000, bytes.length)];
    const reading = contents.get(file)!.read(start, end);
    const exists = client.list("").some(([name]) => name === file);
    if (how === "remove" && exists) removeForGood(client, file);
    else if (!exists) client.put(file, pattern(length, index));
    else if (how === "write") client.patch(file, at, pattern(length, index));
    else if (how === "truncate") client.overlay.setattr(client.resolve(file).ino, { sizeBytes: at });
    else client.overlay.fallocate(client.resolve(file).ino, 3, at, length);
    assert.deepEqual(await reading, bytes.subarray(start, end));
  }
  for (const [path, bytes] of wanted)
    assert.deepEqual(await contents.get(path)!.read(0, bytes.length), bytes);
  for (const content of contents.values()) await content.close();
  client.overlay.endSnapshot("s");
}

function removeForGood(client: Fixture["client"], path: string): void {
  const { ino } = client.resolve(path);
  client.unlink(path);
  client.overlay.forget(ino);
}

test("writing into a large file during a snapshot keeps the bytes touched, not the file", async (t) => {
  const { client, directory } = await overlayOver(t, {});
  client.put("f", new Uint8Array(32 * MiB).fill(1));
  const { ino } = client.resolve("f");
  client.overlay.beginSnapshot("s");
  client.patch("f", 5 * MiB, new Uint8Array(MiB).fill(2));
  const { blocks } = fs.statSync(join(directory, "clones", "s", String(ino)));
  assert.ok(blocks * 512 < 3 * MiB || isReflinked(directory));
  client.overlay.endSnapshot("s");
  assert.ok(!fs.existsSync(join(directory, "clones", "s")));
});

/** On file systems that share blocks a clone looks as large as the file, and costs nothing. */
function isReflinked(directory: string): boolean {
  fs.writeFileSync(join(directory, "probe"), "x");
  try {
    fs.copyFileSync(join(directory, "probe"), join(directory, "copy"), fs.constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  }
}

test("bytes appended during a snapshot are not kept twice", async (t) => {
  const { client, directory } = await overlayOver(t, {});
  const ino = client.put("log", new Uint8Array(1 * MiB).fill(1));
  client.overlay.beginSnapshot("s");
  for (let i = 0; i < 4; i++) client.patch("log", (1 + i) * MiB, new Uint8Array(MiB).fill(2));
  const clone = fs.statSync(join(directory, "clones", "s", String(ino)), { throwIfNoEntry: false });
  assert.ok((clone?.size ?? 0) <= 1 * MiB);
});

test("changes after a snapshot was begun are not among its changes, even before it is opened", async (t) => {
  const { client, snapshot } = await overlayOver(t, { f: { content: pattern(10, 1) } });
  client.put("before", pattern(3, 1));
  client.overlay.beginSnapshot("s");
  client.put("after", pattern(3, 1));
  client.unlink("f");
  const paths = [...(await snapshot("s")).changes()].map(({ kind, path }) => `${kind} ${path}`);
  assert.deepEqual(paths, ["put before", "put "]);
});

test("a file moved or touched is told with the content of the base, a file written with its own", async (t) => {
  const content = pattern(100_000, 1);
  const { client, snapshot } = await overlayOver(t, {
    moved: { content },
    touched: { content },
    written: { content },
  });
  client.rename("moved", "elsewhere");
  client.overlay.setattr(client.resolve("touched").ino, { mtime: { sec: 9, nsec: 9 } });
  client.patch("written", 50_000, pattern(10, 2));
  const opened = await snapshot();
  const contents = [...opened.changes()].flatMap((change) =>
    change.kind === "put" && change.path !== "" ? [[change.path, change.content]] : [],
  );
  const { ino } = client.resolve("written");
  assert.deepEqual(contents, [
    ["elsewhere", { kind: "base", ordinal: 1 }],
    ["touched", { kind: "base", ordinal: 2 }],
    ["written", { kind: "overlaid", ino, base: 3 }],
  ]);
  const { baseSpans } = await opened.openContent(ino);
  assert.deepEqual(
    baseSpans.map(({ start, end }) => [start, end]),
    [
      [0, 50_000],
      [50_010, 100_000],
    ],
  );
  assert.deepEqual(opened.totals(), { files: 1, bytes: 10 });
});

test("an overlay in which nothing was done is empty, and one in which a change was undone tells none", async (t) => {
  const { client, snapshot } = await overlayOver(t, { f: { content: pattern(10, 1), mode: 0o644 } });
  assert.equal((await snapshot()).isEmpty, true);
  const { ino } = client.resolve("f");
  client.overlay.setattr(ino, { mode: 0o600 });
  client.overlay.setattr(ino, { mode: 0o644 });
  const opened = await snapshot();
  assert.deepEqual([opened.isEmpty, [...opened.changes()]], [false, []]);
});

test("the changes of an overlay are found although the base has to be fetched piece by piece", async (t) => {
  const planned = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`d${i % 8}/f${i}`, { content: pattern(9, i) }]),
  );
  const folders = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`d${i}`, { directory: true as const }]),
  );
  const { base, client, snapshot } = await overlayOver(t, { ...folders, ...planned });
  for (let i = 0; i < 40; i += 3)
    client.overlay.setattr(client.resolve(`d${i % 8}/f${i}`).ino, { mode: 0o600 });
  client.rename("d1", "d2/inner");
  base.forget();
  const found = new Set<string>();
  for await (const change of (await snapshot()).changes()) found.add(`${change.kind} ${change.path}`);
  assert.equal([...found].filter((line) => line.startsWith("put d")).length, 14 + 1);
  assert.ok(found.has("graft d2/inner") && found.has("remove d1"));
});
