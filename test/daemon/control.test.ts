/** The socket over which commands speak to a mount: who may, and what it does with what is no request. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";

import { type ControlRequest, askControl, serveControl } from "../../src/daemon/control.js";
import { isDatasetError } from "../../src/errors.js";
import { type Scope, atEnd } from "../support/cleanup.js";
import { tempDir } from "../support/temp.js";

const NOBODY = 65_534;
const STATUS: ControlRequest = { operation: "status", arguments: {} };
const isRoot = process.getuid?.() === 0;

async function serving(scope: Scope): Promise<{ path: string; asked: ControlRequest[] }> {
  const path = join(await tempDir(scope), "x.sock");
  const asked: ControlRequest[] = [];
  const server = await serveControl(path, (request) => Promise.resolve(asked.push(request)));
  atEnd(scope, () => server.close());
  return { path, asked };
}

async function send(path: string, bytes: string): Promise<string> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  socket.end(bytes);
  return (await buffer(socket)).toString();
}

test("a request is answered, and the socket is its user's alone", async (t) => {
  const { path, asked } = await serving(t);
  assert.equal(await askControl(path, STATUS), 1);
  assert.deepEqual(asked, [STATUS]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("what is no request is refused in words, runs nothing, and the next one is answered", async (t) => {
  const { path, asked } = await serving(t);
  for (const text of [
    "",
    "null",
    "[]",
    "{}",
    '{"operation":"rm","arguments":{}}',
    '{"operation":"status"}',
    "\x00\xff",
  ])
    assert.match(await send(path, `${text}\n`), /no request of this varve","code":"bad-input"/, text);
  assert.equal(asked.length, 0);
  assert.equal(await askControl(path, STATUS), 1);
});

test("a request that does not end is not kept: a client is cut off after a million characters", async (t) => {
  const { path, asked } = await serving(t);
  assert.match(await send(path, "x".repeat(3_000_000)), /"code":"bad-input"/);
  assert.equal(asked.length, 0);
});

test("neither end uses a socket in a folder that others can change", { skip: !isRoot }, async (t) => {
  const { path } = await serving(t);
  const open = join(await tempDir(t), "open");
  mkdirSync(open);
  chmodSync(open, 0o777);
  const isRefused = (error: unknown) =>
    isDatasetError(error, "bad-input") && /not this user's alone/.test(error.message);
  await assert.rejects(
    serveControl(join(open, "x.sock"), () => Promise.resolve()),
    isRefused,
  );
  chmodSync(join(path, ".."), 0o770);
  await assert.rejects(askControl(path, STATUS), isRefused);
  chmodSync(join(path, ".."), 0o700);
  // Root may use what belongs to another user; another user may not.
  chownSync(join(path, ".."), NOBODY, NOBODY);
  assert.equal(await askControl(path, STATUS), 1);
  process.seteuid!(NOBODY - 1);
  try {
    await assert.rejects(askControl(path, STATUS), isDatasetError);
  } finally {
    process.seteuid!(0);
  }
});
