/** What is written of commands and of the library is what they say of themselves. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { libraryReference } from "../../scripts/reference/library.js";
import { references } from "../../scripts/reference.js";

test("docs/reference and the man page say what the code says: node dist/scripts/reference.js writes them", async () => {
  for (const [path, text] of Object.entries(await references()))
    assert.equal(
      readFileSync(path, "utf8"),
      text,
      `${path} is behind; node dist/scripts/reference.js writes it`,
    );
});

test("everything the library exports has a docstring", () => {
  assert.deepEqual(libraryReference("src/index.ts").undocumented, []);
});

test("the man page can be read", () => {
  const shown = execFileSync("man", ["--local-file", "docs/varve.1"], { encoding: "utf8" });
  assert.match(shown, /varve - versions of datasets as folders/);
  assert.match(shown, /varve mount <reference> \[directory\]/);
});
