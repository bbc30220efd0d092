/** A live commit is a snapshot: what it holds is what there was at one moment, however many programs write meanwhile. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { askMount } from "../../src/daemon/client.js";
import { EntryType } from "../../src/manifest/entry.js";
import { startNode } from "../support/processes.js";
import { tempDir } from "../support/temp.js";
import type { Varve } from "../support/varve.js";
import { type Moments, common, prefixOf } from "./support/consistent-cut.js";
import { BASE, type State, type Timed } from "./support/logged-steps.js";
import { MOUNTED, asking, datasetAt, mountWritable, userWith } from "./support/mounted.js";

const WRITERS = ["a", "b", "c", "d"];
const COMMITS = 8;
const PROGRAM = new URL("./support/logging-writer.js", import.meta.url).pathname;
const initial: State = new Map([[BASE.name, Buffer.alloc(BASE.bytes, "base")]]);

interface Commit {
  version: string;
  /** Before it was asked for, to when it was done. */
  asked: Moments;
}

test(
  "each version committed while four writers write holds what there was at one moment, the last all",
  MOUNTED,
  async (t) => {
    const files = WRITERS.map((name) => [`${name}/${BASE.name}`, initial.get(BASE.name)!] as const);
    const varve = await userWith(t, Object.fromEntries(files));
    const mount = await mountWritable(t, varve);
    const logs = await tempDir(t);
    const writers = WRITERS.map((name) => startNode(t, PROGRAM, [join(mount.path, name), join(logs, name)]));
    await Promise.all(writers.map((writer) => writer.saying(/^writing$/m)));
    const commits: Commit[] = [];
    while (commits.length < COMMITS) commits.push(await commit(varve, mount.path));
    for (const { child } of writers) child.stdin.end();
    for (const { code, stderr } of await Promise.all(writers.map((writer) => writer.ended)))
      assert.deepEqual([code, stderr], [0, ""]);
    commits.push(await commit(varve, mount.path));
    await varve.ok(["unmount", mount.path]);

    const steps = WRITERS.map((name) => JSON.parse(readFileSync(join(logs, name), "utf8")) as Timed[]);
    let before = WRITERS.map(() => 0);
    let beforeStates: State[] = [];
    for (const { version, asked } of commits) {
      const states = await statesIn(varve, version);
      const prefixes = states.map((state, index) => prefixOf(state, initial, steps[index]!, asked));
      for (const [index, prefix] of prefixes.entries())
        assert.ok(prefix, `${version}: ${WRITERS[index]} never left such a folder then`);
      const moments = prefixes.map((prefix) => prefix!.moments);
      assert.ok(common(moments), `${version}: no one moment in ${JSON.stringify(moments)}`);
      const held = prefixes.map((prefix) => prefix!.steps);
      assert.ok(
        held.every((count, index) => count > before[index]!),
        "everybody had gone on",
      );
      if (beforeStates.length > 0)
        assert.equal(
          prefixOf(beforeStates[0]!, initial, steps[0]!, asked),
          undefined,
          "what was before is no answer",
        );
      [before, beforeStates] = [held, states];
    }
    assert.deepEqual(
      before,
      steps.map((log) => log.length),
      "the last holds everything",
    );
  },
);

async function commit(varve: Varve, path: string): Promise<Commit> {
  const now = () => Number(process.hrtime.bigint());
  const from = now();
  const request = { operation: "commit", arguments: {} } as const;
  const answer = await askMount(varve.places, path, request);
  const { committed } = answer as { committed: { version: string } };
  return { version: committed.version, asked: { from, to: now() } };
}

/** What each writer's folder holds in a version. */
function statesIn(varve: Varve, version: string): Promise<State[]> {
  return asking(varve, async (workspace) => {
    const dataset = await datasetAt(workspace, version);
    const states = new Map(WRITERS.map((name) => [name, new Map() as State]));
    for await (const entry of dataset.listFiles()) {
      const [folder, name] = entry.path.split("/") as [string, string | undefined];
      if (name === undefined) continue;
      const parts: Uint8Array[] = [];
      if (entry.type === EntryType.file) for await (const part of dataset.readFile(entry)) parts.push(part);
      states.get(folder)!.set(name, entry.type === EntryType.directory ? null : Buffer.concat(parts));
    }
    return [...states.values()];
  });
}
