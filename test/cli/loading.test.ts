/** Which commands are loaded for which words. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { helpPage, helpPages } from "../../src/cli/help-page.js";
import { programOf } from "../../src/cli/program.js";

test("a command that is asked for alone has the page that it has among all", async () => {
  const among = await programOf([]);
  const all = (await among.getHelp()).match(/(?<=^ {2}varve )[a-z-]+/gm);
  const alone = (await helpPages(programOf)).filter(({ command }) => command.length === 1);
  assert.deepEqual(
    alone.map(({ text }) => /^varve ([a-z-]+)/.exec(text)?.[1]),
    all,
  );
});

test("other names of commands are loaded as the commands are", async () => {
  for (const [other, name] of [
    ["umount", "unmount"],
    ["close", "finalize"],
  ] as const) {
    const { text } = await helpPage(programOf, [other]);
    assert.equal(text, (await helpPage(programOf, [name])).text);
  }
});

test("options, and their values, may stand before a command; a word that is no command gets the help of all", async () => {
  const { text } = await helpPage(programOf, []);
  assert.equal((await helpPage(programOf, ["mounty"])).text, text);
  const { text: ofList } = await helpPage(programOf, ["list"]);
  assert.equal((await helpPage(programOf, ["--json", "--catalog", "mount", "list"])).text, ofList);
});
