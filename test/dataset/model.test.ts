/** Random folders synced step by step, held against the folder itself and against a plain model of a diff. */
import assert from "node:assert/strict";
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";

import { Dataset } from "../../src/dataset/dataset.js";
import { syncVersion } from "../../src/dataset/sync.js";
import type { TreeDiff } from "../../src/manifest/diff.js";
import { setTime } from "../support/native.js";
import { type Described, describeFolder, describeVersion } from "./support/folders.js";
import { testUser } from "./support/workspaces.js";

type Step =
  | { do: "write"; path: string; content: number }
  | { do: "link"; path: string; target: string }
  | { do: "same"; path: string; target: string }
  | { do: "mkdir" | "remove"; path: string }
  | { do: "move"; path: string; to: string }
  | { do: "chmod"; path: string; mode: number }
  | { do: "touch"; path: string; mtimeNs: bigint };

const path = fc
  .array(fc.constantFrom("a", "b", "c.txt", "ü"), { minLength: 1, maxLength: 3 })
  .map((names) => names.join("/"));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("write" as const), path, content: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("link" as const), path, target: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("same" as const), path, target: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("mkdir" as const, "remove" as const), path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), path, to: path }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("chmod" as const),
      path,
      mode: fc.constantFrom(0o644, 0o755, 0o600),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("touch" as const),
      path,
      mtimeNs: fc.bigInt(-(10n ** 18n), 10n ** 18n),
    }),
  },
);
const script = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 5 });

test(
  "whatever is done to a folder between syncs, its versions are the folder",
  { timeout: 300_000 },
  async (t) => {
    const property = fc.asyncProperty(script, async (syncs) => {
      const { open, scratch } = await testUser(t);
      const workspace = open();
      mkdirSync(scratch);
      const states: { label: string; plain: Described }[] = [];
      for (const steps of syncs) {
        for (const each of steps) apply(scratch, each);
        const { committed } = await syncVersion(scratch, "p/d", { workspace, metadata: true });
        const version = await Dataset.get("p/d", { workspace });
        assert.deepEqual(await describeVersion(version), describeFolder(scratch));
        if (committed)
          states.push({ label: committed.version, plain: describeFolder(scratch, { metadata: false }) });
        const fresh = await syncVersion(scratch, "p/d", { workspace: (await testUser(t)).open() });
        const { digest, contentDigest } = committed ?? (await digestsOf(version));
        assert.deepEqual({ digest, contentDigest }, pick(fresh.committed!));
      }
      for (const [index, after] of states.entries()) {
        const before = states[Math.floor(index / 2)]!;
        const versions = [before, after].map(({ label }) => Dataset.get(`p/d@${label}`, { workspace }));
        const [a, b] = await Promise.all(versions);
        assert.deepEqual(plainDiff(await a!.diff(b!)), modelDiff(before.plain, after.plain));
      }
      await workspace.close();
    });
    await fc.assert(property, { numRuns: 12 });
  },
);

/** Does one step where it can be done; a step that cannot is none. */
function apply(root: string, each: Step): void {
  const at = join(root, each.path);
  try {
    switch (each.do) {
      case "write":
        mkdirSync(dirname(at), { recursive: true });
        writeFileSync(at, `content ${each.content}\n`.repeat(each.content));
        break;
      case "link":
        symlinkSync(each.target, at);
        break;
      case "same":
        linkSync(join(root, each.target), at);
        break;
      case "mkdir":
        mkdirSync(at, { recursive: true });
        break;
      case "remove":
        rmSync(at, { recursive: true });
        break;
      case "move":
        renameSync(at, join(root, each.to));
        break;
      case "chmod":
        chmodSync(at, each.mode);
        break;
      case "touch":
        setTime(at, each.mtimeNs);
        break;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

async function digestsOf(version: Dataset): Promise<{ digest: string; contentDigest: string }> {
  const { treeDigest, contentDigest } = (await version.tree()).root;
  return { digest: treeDigest, contentDigest };
}

function pick({ digest, contentDigest }: { digest: string; contentDigest: string }) {
  return { digest, contentDigest };
}

interface PlainDiff {
  /** Added and renamed to, removed and renamed from: which is which among equal files is not the model's to say. */
  appeared: string[];
  vanished: string[];
  modified: string[];
}

/** The files and links of a diff; folders are told only where they say something of their own. */
function plainDiff({ added, removed, modified, renamed }: TreeDiff): PlainDiff {
  return {
    appeared: [...added, ...renamed.map(({ to }) => to)].sort(),
    vanished: [...removed, ...renamed.map(({ from }) => from)].sort(),
    modified: [...modified].sort(),
  };
}

function modelDiff(before: Described, after: Described): PlainDiff {
  const appeared = Object.keys(after).filter((path) => !(path in before));
  const vanished = Object.keys(before).filter((path) => !(path in after));
  return {
    appeared: appeared.filter((path) => isWorthALine(path, after, appeared)).sort(),
    vanished: vanished.filter((path) => isWorthALine(path, before, vanished)).sort(),
    modified: Object.keys(after)
      .filter((path) => path in before && before[path] !== after[path])
      .sort(),
  };
}

/** A folder that came or went because something in it did is not. */
function isWorthALine(path: string, described: Described, changed: readonly string[]): boolean {
  return described[path] !== "directory" || !changed.some((other) => dirname(other) === path);
}
