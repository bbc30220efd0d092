/** The guide for those who come from ClearML: every block of it compiles, and runs after those before it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { tempDir } from "../support/temp.js";
import { varveUser } from "../support/varve.js";
import { problemsOf, run, snippetsOf } from "./snippets.js";

const PAGE = "docs/from-clearml.md";

test("every block of the guide compiles", () => {
  assert.deepEqual(problemsOf(snippetsOf(PAGE)), []);
});

test("every block of the guide runs, one after another", { timeout: 600_000 }, async (t) => {
  const varve = await varveUser(t);
  const cwd = join(await tempDir(t), "work");
  writeFolder(cwd, { "images/cat.jpg": "cat", "images/dog.jpg": "dog", "images/labels.csv": "a,b\n1,2\n" });
  writeFolder(cwd, { "more/bird.jpg": "bird", "more/notes.txt": "none" });
  const env = { ...process.env, VARVE_HOME: varve.home };
  const snippets = snippetsOf(PAGE);
  assert.ok(snippets.length > 8);
  for (const [index, code] of snippets.entries()) t.diagnostic(run(code, `guide-${index}`, { cwd, env }));
});
