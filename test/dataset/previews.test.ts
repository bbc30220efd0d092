/** Previews that nobody asked for: the first tables and media of an upload, bounded, and never a reason to fail. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";

import { Dataset } from "../../src/dataset/dataset.js";
import type { Report } from "../../src/dataset/reports/report.js";
import { type SyncOptions, syncVersion } from "../../src/dataset/sync.js";
import { MiB } from "../../src/units.js";
import { type Contents, writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const CSV = Array.from({ length: 1_000 }, (_, n) => (n === 0 ? "n,word\n" : `${n},w${n}\n`)).join("");

async function synced(user: TestUser, contents: Contents, options: SyncOptions = {}): Promise<Dataset> {
  writeFolder(user.scratch, contents);
  const workspace = user.open();
  await syncVersion(user.scratch, "lab/data", { ...options, workspace });
  return Dataset.get("lab/data", { workspace });
}

async function tableIn(dataset: Dataset, report: Report): Promise<{ columns: string[]; rows: unknown[][] }> {
  return JSON.parse(Buffer.from(await dataset.readReport(report)).toString("utf8")) as Awaited<
    ReturnType<typeof tableIn>
  >;
}

test("the first rows of tables and small media are kept; what cannot be read is noted; a child shows what is new", async (t) => {
  const user = await testUser(t);
  const parquet = parquetWriteBuffer({ columnData: [{ name: "id", data: [1, 2, 3], type: "INT32" }] });
  const dataset = await synced(user, {
    "a.csv": CSV,
    "b.csv.gz": gzipSync(CSV),
    "c.parquet": new Uint8Array(parquet),
    "d.parquet": "PAR1 no more",
    "e.json": '[{"a":1},{"a":2}]',
    "empty.csv": "",
    "m.wav": "sound",
    "p.png": "picture",
    "large.mp4": new Uint8Array(5 * MiB + 1),
    "page.html": "<p>hi</p>",
    "other.bin": "x",
  });
  const reports = await dataset.listReports();
  assert.deepEqual(
    reports.map(({ kind, source, problem }) => [kind, source, problem !== undefined]),
    [
      ["table", "a.csv", false],
      ["table", "b.csv.gz", false],
      ["table", "c.parquet", false],
      ["table", "d.parquet", true],
      ["table", "e.json", false],
      ["audio", "m.wav", false],
      ["image", "p.png", false],
      ["html", "page.html", false],
    ],
  );
  const [csv, gz, ids] = await Promise.all(reports.slice(0, 3).map((report) => tableIn(dataset, report)));
  assert.deepEqual([csv!.columns, csv!.rows.length, csv!.rows[9]], [["n", "word"], 10, [10, "w10"]]);
  assert.deepEqual(gz, csv);
  assert.deepEqual(ids, { columns: ["id"], rows: [[1], [2], [3]] });
  assert.equal(Buffer.from(await dataset.readReport(reports[6]!)).toString(), "picture");
  const next = await synced(user, { "new.tsv": "x\ty\n1\t2\n" });
  assert.deepEqual(
    (await next.listReports()).map(({ source }) => source),
    ["new.tsv"],
  );
});

test("at most ten of each kind are shown, or as many as asked, or none", async (t) => {
  const user = await testUser(t);
  const contents = Object.fromEntries(
    Array.from({ length: 30 }, (_, n) => [`${n % 2 ? "t" : "p"}${n}.${n % 2 ? "csv" : "png"}`, `a\n${n}\n`]),
  );
  const kinds = async (dataset: Dataset) => (await dataset.listReports()).map(({ kind }) => kind);
  const ten = await synced(user, contents);
  assert.deepEqual(await kinds(ten), [
    ...Array<string>(10).fill("image"),
    ...Array<string>(10).fill("table"),
  ]);
  const asked = await synced(await testUser(t), contents, { preview: { tables: 1, media: 2 } });
  assert.deepEqual(await kinds(asked), ["image", "image", "table"]);
  const none = await testUser(t);
  assert.deepEqual(await kinds(await synced(none, contents, { preview: false })), []);
  assert.ok(!existsSync(join(none.home.defaultRemote, "attachments")));
});

test("no more of a table is read than the limit, and what changed since the upload is left out", async (t) => {
  const user = await testUser(t);
  const wide = `${"c".repeat(1_000)},b\n${"x".repeat(3 * MiB)},1\n`;
  const dataset = await synced(user, { "wide.csv": wide, "big.json": `[${" ".repeat(3 * MiB)}]` });
  const reports = await dataset.listReports();
  assert.match(reports[0]!.problem ?? "", /larger than what may be read of it/);
  assert.deepEqual((await tableIn(dataset, reports[1]!)).rows, []);
  writeFolder(user.scratch, { "late.csv": "a\n1\n" });
  const draft = await Dataset.create("lab/data", { parents: ["lab/data"], workspace: user.open() });
  await draft.addFiles(join(user.scratch, "late.csv"));
  await draft.upload();
  writeFileSync(join(user.scratch, "late.csv"), "a\n2\n3\n");
  await draft.finalize();
  assert.deepEqual(await draft.listReports(), []);
});
