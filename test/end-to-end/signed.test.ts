/** Signed versions by the commands: who makes them, and what is refused, with which exit code. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ExitCode } from "../../src/cli/exit-codes.js";
import { writeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { MOUNTED } from "./support/mounted.js";

test(
  "what is not signed by the key asked for is refused with exit code 6 wherever it is read",
  MOUNTED,
  async (t) => {
    const remote = join(await tempDir(t), "bucket");
    const maker = await varveUser(t, { VARVE_REMOTE: remote });
    const source = await tempDir(t);
    writeFolder(source, { "a.txt": "a" });
    const key = join(await tempDir(t), "release.pub");
    writeFileSync(key, (await maker.ok(["key", "create", "release"])).stdout);
    await maker.ok(["sync", source, "lab/signed"], { env: { VARVE_SIGNING_KEY: "release" } });
    await maker.ok(["sync", source, "lab/unsigned"]);

    const reader = await varveUser(t, { VARVE_REMOTE: remote });
    const asked = ["--verify-key", key];
    const folder = join(await tempDir(t), "copy");
    const at = await tempDir(t);
    const more = (reference: string) => [
      ["cat", reference, "a.txt"],
      ["verify", reference],
      ["get", reference, folder, "--overwrite"],
      ["mount", reference, at, "--prefetch"],
    ];
    for (const [of, code] of [
      ["lab/signed", ExitCode.done],
      ["lab/unsigned", ExitCode.untrusted],
    ] as const)
      for (const reference of [of, `${remote}#${of}`])
        for (const args of [
          ["ls", reference],
          ["mount", reference, at],
          ...(reference === of ? more(reference) : []),
        ]) {
          const answer = await reader([...args, ...asked]);
          assert.equal(answer.code, code, `varve ${args.join(" ")}: ${answer.stderr}`);
          if (code !== ExitCode.done) assert.match(answer.stderr, /is not signed, and must be by release/);
          if (args[0] !== "mount" || code !== ExitCode.done) continue;
          assert.equal(readFileSync(join(at, "a.txt"), "utf8"), "a");
          await reader.ok(["unmount", at]);
        }
    assert.equal((await reader(["key", "check", "lab/unsigned"])).code, ExitCode.untrusted);
    assert.match((await reader.ok(["key", "check", "lab/signed"])).stdout, /^signed by [0-9a-f]{16}\n$/);
  },
);

test(
  "who trusts a key for some datasets reads those only when it signed them, in a mount of all too",
  MOUNTED,
  async (t) => {
    const user = await varveUser(t);
    const source = await tempDir(t);
    writeFolder(source, { "a.txt": "a" });
    await user.ok(["key", "create", "mine"]);
    const env = { VARVE_SIGNING_KEY: "mine" };
    await user.ok(["sync", source, "lab/data"], { env });
    writeFolder(source, { "b.txt": "b" });
    await user.ok(["sync", source, "lab/data"]);
    await user.ok(["sync", source, "other/data"]);
    await user.ok(["key", "trust", "mine", "--for", "lab/*"]);
    const keys = (await user.ok(["key", "list", "--json"], { env })).json() as Record<string, unknown>[];
    assert.deepEqual(
      keys.map(({ name, use, datasets }) => ({ name, use, datasets })),
      [
        { name: "mine", use: "signs", datasets: [] },
        { name: "mine", use: "trusted", datasets: ["lab/*"] },
      ],
    );
    assert.equal((await user(["ls", "lab/data"])).code, ExitCode.untrusted);
    await user.ok(["ls", "lab/data@1.0.0"]);
    await user.ok(["ls", "other/data"]);

    const at = await tempDir(t);
    await user.ok(["mount", "--all", at]);
    assert.deepEqual(readdirSync(join(at, "lab/data")), ["1.0.0"]);
    assert.equal(readFileSync(join(at, "lab/data/1.0.0/a.txt"), "utf8"), "a");
    assert.deepEqual(readdirSync(join(at, "other/data")).sort(), ["1.0.0", "latest"]);
    await user.ok(["unmount", at]);

    // What a writable mount makes is signed when it is committed, by the process that serves it.
    await user.ok(["mount", "--writable", "lab/data@1.0.0", at], { env });
    writeFileSync(join(at, "c.txt"), "c");
    await user.ok(["unmount", at]);
    assert.equal((await user.ok(["cat", "lab/data", "c.txt"])).stdout, "c");
    await user.ok(["key", "distrust", "mine"]);
    await user.ok(["ls", "lab/data@1.0.1"]);
  },
);
