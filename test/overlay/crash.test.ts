/** What is there after the process that served the overlay was killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { isDatasetError } from "../../src/errors.js";
import { openOverlay } from "../../src/fs/overlay/overlay.js";
import { openSnapshot, readFact } from "../../src/fs/overlay/snapshot.js";
import { tempDir } from "../support/temp.js";
import { Client } from "./support/client.js";
import { overlayOver } from "./support/fixture.js";
import { MemoryBase, pattern } from "./support/memory-base.js";

test("a file that was being written has the size and bytes of its last write, and is named", async (t) => {
  const { client, reopen, snapshot } = await overlayOver(t, {});
  const file = client.create("half", 0o644);
  client.write(file, 0, pattern(5_000, 1));
  client.write(file, 5_000, pattern(3_000, 2));
  client.put("whole", pattern(10, 3));
  const found = await snapshot();
  assert.deepEqual(found.openFiles(), ["half"]);
  assert.equal((await found.openContent(file.ino)).sizeBytes, 8_000);
  const again = reopen();
  assert.deepEqual(again.whole("half"), Buffer.concat([pattern(5_000, 1), pattern(3_000, 2)]));
  assert.deepEqual(again.overlay.openForWriting(), [{ ino: file.ino, paths: ["half"], unflushed: true }]);
});

test("a file counts as whole once its last writer has closed it, not before", async (t) => {
  const { client } = await overlayOver(t, { f: { content: pattern(10, 1) } });
  const [first, second] = [client.open("f", 2), client.open("f", 1)];
  client.write(first, 0, pattern(3, 2));
  client.close(first);
  const named = [{ ino: first.ino, paths: ["f"], unflushed: true }];
  assert.deepEqual(client.overlay.openForWriting(), named);
  client.close(second);
  assert.deepEqual(client.overlay.openForWriting(), []);
});

test("an overlay of the first format, which kept no access times, is read and written as before", async (t) => {
  const { client, directory, reopen, snapshot } = await overlayOver(t, {
    f: { content: pattern(10, 1), mtimeSec: 7 },
  });
  client.put("g", pattern(3, 2));
  client.overlay.setattr(client.resolve("f").ino, { mode: 0o600 });
  client.overlay.close();
  const old = new Database(join(directory, "journal.db"));
  old.exec(`alter table inodes drop column atime_sec; alter table inodes drop column atime_nsec;
    update meta set value = '1' where key = 'format'`);
  old.close();
  (await snapshot()).close();
  const again = reopen();
  const { mode, atimeSec, mtimeSec } = again.resolve("f");
  assert.deepEqual([mode & 0o777, atimeSec, mtimeSec], [0o600, 7, 7]);
  assert.deepEqual(again.whole("g"), Buffer.from(pattern(3, 2)));
});

test("closed files survive kill -9 of a process that makes them as fast as it can", async (t) => {
  const directory = await tempDir(t);
  const script = fileURLToPath(new URL("./support/endless-writer.js", import.meta.url));
  const child = spawn(process.execPath, [script, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const closed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    closed.push(line);
    if (closed.length === 300) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
  const base = new MemoryBase({});
  const client = new Client(openOverlay(directory, base, { reserveBytes: 0 }), base);
  t.after(() => client.overlay.close());
  assert.ok(closed.length >= 300);
  for (const name of closed)
    assert.deepEqual(client.whole(name), Buffer.from(pattern(3_000, Number(name.slice(1)))));
});

test("bytes past the size, left by a crash in a truncation, never show", async (t) => {
  const { client, directory, reopen } = await overlayOver(t, { based: { content: pattern(1_000, 4) } });
  client.put("new", pattern(1_000, 1));
  client.patch("based", 0, pattern(1_000, 1));
  for (const path of ["new", "based"]) {
    const { ino } = client.resolve(path);
    client.overlay.setattr(ino, { sizeBytes: 100 });
    fs.appendFileSync(join(directory, "data", String(ino)), pattern(900, 5)); // as if it had not been cut yet
  }
  const again = reopen();
  const wanted = Buffer.concat([pattern(1_000, 1).subarray(0, 100), new Uint8Array(500), pattern(10, 2)]);
  for (const path of ["new", "based"]) {
    again.patch(path, 600, pattern(10, 2));
    assert.deepEqual(again.whole(path), wanted);
  }
});

test("opening drops files without a name, and data that no row names", async (t) => {
  const { client, directory, reopen } = await overlayOver(t, { f: { content: pattern(10, 1) } });
  const file = client.create("gone", 0o644);
  client.write(file, 0, pattern(10, 1));
  client.unlink("gone");
  fs.writeFileSync(join(directory, "data", "99"), "written before the row that would have named it");
  reopen();
  assert.deepEqual(fs.readdirSync(join(directory, "data")), []);
});

test("facts about the overlay are kept, and read without its base", async (t) => {
  const { client, directory } = await overlayOver(t, {});
  client.overlay.setFact("version", "vision/cifar10@1.2.0");
  client.overlay.setFact("format", "not the journal's own");
  assert.equal(readFact(directory, "version"), "vision/cifar10@1.2.0");
  assert.equal(readFact(directory, "mountpoint"), undefined);
  assert.equal(client.overlay.fact("format"), "not the journal's own");
});

test("a journal of a newer varve is refused, and a folder without one is not found", async (t) => {
  const { client, directory } = await overlayOver(t, {});
  client.overlay.close();
  const db = new Database(join(directory, "journal.db"));
  db.exec("update meta set value = '1000' where key = 'format'");
  db.close();
  const base = new MemoryBase({});
  assert.throws(
    () => openOverlay(directory, base),
    (error) => isDatasetError(error, "format-newer"),
  );
  const opened = openSnapshot(await tempDir(t), base.forSnapshot);
  await assert.rejects(opened, (error) => isDatasetError(error, "not-found"));
});
