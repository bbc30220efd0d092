import assert from "node:assert/strict";
import { test } from "node:test";

import { type OutputStream, outputTo } from "../../src/cli/output.js";
import { startProcess } from "../support/processes.js";
import { broken, captured } from "../support/streams.js";

test("data goes to standard output and words to standard error", () => {
  const [stdout, stderr] = [captured(), captured()];
  const output = outputTo({ stdout, stderr, env: {} });
  output.data("1.2.0");
  output.say("Mounted");
  output.warn("Two heads");
  assert.deepEqual([stdout.text, stderr.text], ["1.2.0\n", "Mounted\nTwo heads\n"]);
});

test("quiet silences words, never data or warnings", () => {
  const [stdout, stderr] = [captured(), captured()];
  const output = outputTo({ stdout, stderr, env: {}, quiet: true });
  output.data("1.2.0");
  output.say("Mounted");
  output.warn("Two heads");
  assert.deepEqual([stdout.text, stderr.text], ["1.2.0\n", "Two heads\n"]);
});

test("JSON is one line for programs and indented in a terminal", () => {
  const texts = [captured(), captured(80)].map((stdout) => {
    outputTo({ stdout, stderr: captured(), env: {} }).json({ a: [1] });
    return stdout.text;
  });
  assert.deepEqual(texts, ['{"a":[1]}\n', '{\n  "a": [\n    1\n  ]\n}\n']);
});

test("the width is the terminal's, and undefined for a file", () => {
  const widths = [captured(), captured(80)].map(
    (stdout) => outputTo({ stdout, stderr: captured(), env: {} }).widthColumns,
  );
  assert.deepEqual(widths, [undefined, 80]);
});

test("a reader of the data that has gone is told to the command once, and is no error", async () => {
  const stdout = broken("EPIPE");
  let told = 0;
  const output = outputTo({ stdout, stderr: captured(), env: {}, onReaderGone: () => told++ });
  output.data("1");
  output.data("2");
  await closed(stdout);
  output.data("3");
  assert.equal(told, 1);
});

test("words that nobody can read are dropped", async () => {
  const stderr = broken("EPIPE");
  outputTo({ stdout: captured(), stderr, env: {} }).say("Mounted");
  await closed(stderr);
});

test("a command piped into one that reads a line and leaves ends quietly", async (t) => {
  const module = JSON.stringify(new URL("../../src/cli/output.js", import.meta.url).href);
  const program = `import(${module}).then(({ processOutput }) => {
    const output = processOutput();
    setInterval(() => output.data("line"), 1);
  });`;
  const shell = startProcess(t, "bash", [
    "-c",
    'set -o pipefail; "$0" -e "$1" | head -n 1',
    process.execPath,
    program,
  ]);
  assert.deepEqual(await shell.ended, { code: 0, signal: null, stdout: "line\n", stderr: "" });
});

function closed(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => void stream.once("close", resolve));
}
