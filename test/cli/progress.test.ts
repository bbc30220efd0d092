import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { type ProgressState, progressLine, startProgress } from "../../src/cli/progress.js";
import { MiB } from "../../src/units.js";
import { captured } from "../support/streams.js";

const UPLOAD: ProgressState = {
  label: "Uploading",
  of: "bytes",
  done: 512 * MiB,
  total: 1024 * MiB,
  elapsedMs: 4000,
};

test("progress says how much of how much, how fast and how long it will take", () => {
  assert.equal(
    progressLine(UPLOAD),
    "Uploading ████████████░░░░░░░░░░░░ 50 % · 512 MiB of 1.0 GiB · 128 MiB/s · 4 s left",
  );
});

test("progress of unknown size says what is done and how fast", () => {
  assert.equal(
    progressLine({ label: "Scanning", of: "files", done: 3000, total: undefined, elapsedMs: 1500 }),
    "Scanning 3,000 files · 2,000/s",
  );
});

test("progress never passes 100 %, and says nothing of time before the start and after the end", () => {
  const over = progressLine({ ...UPLOAD, done: 2048 * MiB });
  const before = progressLine({ ...UPLOAD, done: 0, elapsedMs: 0 });
  const nothing = progressLine({ ...UPLOAD, done: 0, total: 0 });
  assert.match(over, /100 %.*MiB\/s$/);
  assert.match(before, / 0 %.* 0 B\/s$/);
  assert.match(nothing, /100 %/);
});

test("progress writes nothing to a file, a pipe or a log", async () => {
  const stream = captured();
  const progress = startProgress({ label: "Uploading", of: "bytes", total: 10, stream, delayMs: 0 });
  progress.advance(5);
  await sleep(20);
  progress.stop();
  assert.equal(stream.text, "");
});

test("quick work shows nothing", async () => {
  const stream = captured(80);
  const progress = startProgress({ label: "Uploading", of: "bytes", total: 10, stream, delayMs: 60_000 });
  progress.advance(5);
  progress.stop();
  await sleep(20);
  assert.equal(stream.text, "");
});

test("long work is shown in a terminal, within its width, and the line is taken away at the end", async () => {
  const stream = captured(40);
  const progress = startProgress({ label: "Uploading", of: "files", stream, delayMs: 0 });
  progress.setTotal(10);
  progress.advance(5);
  await sleep(50);
  progress.stop();
  progress.stop();
  assert.match(stream.text, /Uploading █{12}░{12} 50 …/);
  assert.ok(stream.text.endsWith("\u001b[2K"), JSON.stringify(stream.text.slice(-20)));
});
