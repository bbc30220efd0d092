/** SQLite in WAL mode on a writable mount, by several processes at once: its shared memory, locks and syncs. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import Database from "better-sqlite3";

import { MOUNTED } from "../end-to-end/support/mounted.js";
import { startNode } from "../support/processes.js";
import { openWorkshop } from "./support/workshop.js";

const WRITER = new URL("./support/wal-writer.js", import.meta.url).pathname;
const ROWS = 150;

test(
  "two processes write one SQLite database in WAL mode, one is killed in a transaction, and the version has every row",
  MOUNTED,
  async (t) => {
    const { at, scratch, committed } = await openWorkshop(t, "true >kept");
    // Of two that turn WAL on at the same moment SQLite refuses one, on any file system and whatever its timeout.
    const made = new Database(join(at, "db"));
    made.pragma("journal_mode = wal");
    made.close();
    const writers = ["one", "two"].map((name) => startNode(t, WRITER, [join(at, "db"), name, String(ROWS)]));
    await Promise.all(writers.map((writer) => writer.saying(/^written$/m)));
    writers[0]!.child.stdin.write("begin\n");
    await writers[0]!.saying(/^begun$/m);
    await Promise.all(writers.map((writer) => writer.kill()));
    const path = await committed();
    const files = ["db", "db-wal", "db-shm"].filter((name) => existsSync(join(path, name)));
    assert.deepEqual(files, ["db", "db-wal", "db-shm"], "the log was never taken away");
    mkdirSync(join(scratch, "copy"));
    for (const name of files) copyFileSync(join(path, name), join(scratch, "copy", name));
    const db = new Database(join(scratch, "copy/db"));
    t.after(() => db.close());
    assert.equal(db.pragma("integrity_check", { simple: true }), "ok");
    assert.deepEqual(
      db.prepare("select writer, count(*) as count, max(number) as last from rows group by writer").all(),
      [
        { writer: "one", count: ROWS, last: ROWS - 1 },
        { writer: "two", count: ROWS, last: ROWS - 1 },
      ],
    );
  },
);
