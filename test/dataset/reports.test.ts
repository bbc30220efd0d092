/** What is reported of a version, checked on its way in, and read again: from the draft, finished, rebuilt, as files. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";

import { Dataset } from "../../src/dataset/dataset.js";
import { rebuildCatalog } from "../../src/dataset/rebuild.js";
import type { Report } from "../../src/dataset/reports/report.js";
import { loseCatalog } from "../support/catalog-place.js";
import { writeFolder } from "./support/folders.js";
import { type TestUser, testUser } from "./support/workspaces.js";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);

function parquetOf(rows: number): Uint8Array {
  const data = Array.from({ length: rows }, (_, index) => index);
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "id", data, type: "INT32" },
        { name: "label", data: data.map((id) => (id % 2 === 0 ? "cat" : "dog")), type: "STRING" },
      ],
    }),
  );
}

async function emptyDraft(user: TestUser): Promise<Dataset> {
  return Dataset.create("lab/data", { workspace: user.open() });
}

async function jsonIn(dataset: Dataset, report: Report): Promise<unknown> {
  return JSON.parse(Buffer.from(await dataset.readReport(report)).toString("utf8"));
}

test("reports of every kind are read again in order, from the draft, a rebuilt catalog and the bucket alone", async (t) => {
  const user = await testUser(t);
  const draft = await emptyDraft(user);
  const logger = draft.getLogger();
  await logger.reportTable({
    title: "Counts",
    rows: [
      ["label", "n"],
      ["cat", 3],
      ["dog", null],
    ],
  });
  await logger.reportHistogram({
    title: "Classes",
    series: "train",
    values: [3, 4],
    xlabels: ["cat", "dog"],
    iteration: 2,
  });
  await logger.reportScalar({ title: "Mean", value: 0.25 });
  await logger.reportPlot({
    title: "Points",
    figure: { data: [{ type: "scatter", x: [1], y: [2] }], layout: {} },
  });
  await logger.reportImage({ title: "Sample", bytes: PNG });
  await logger.reportMedia({ title: "Page", bytes: Buffer.from("<p>hi</p>"), type: "text/html" });
  await logger.reportText({ title: "Note", text: "é".repeat(2_000) });
  const reported = await draft.listReports();
  assert.deepEqual(
    reported.map(({ kind, title, series, iteration, type }) => [kind, title, series, iteration, type]),
    [
      ["table", "Counts", "Counts", 0, "application/json"],
      ["histogram", "Classes", "train", 2, "application/json"],
      ["scalar", "Mean", "Mean", 0, "application/json"],
      ["plot", "Points", "Points", 0, "application/json"],
      ["image", "Sample", "Sample", 0, "image/png"],
      ["html", "Page", "Page", 0, "text/html"],
      ["text", "Note", "Note", 0, "text/plain"],
    ],
  );
  await draft.finalize();
  const anew = user.open();
  await loseCatalog(user.home);
  const fresh = await testUser(t);
  const bucket = await Dataset.get(`${user.home.defaultRemote}#lab/data`, { workspace: fresh.open() });
  await rebuildCatalog(anew, [user.home.defaultRemote]);
  for (const dataset of [bucket, await Dataset.get("lab/data", { workspace: anew })]) {
    assert.deepEqual(await dataset.listReports(), reported);
    assert.deepEqual(await jsonIn(dataset, reported[0]!), {
      columns: ["label", "n"],
      rows: [
        ["cat", 3],
        ["dog", null],
      ],
    });
    assert.deepEqual(Buffer.from(await dataset.readReport(reported[4]!)), PNG);
    assert.equal(Buffer.from(await dataset.readReport(reported[6]!)).toString(), "é".repeat(2_000));
  }
});

test("a table is reported from rows or objects, CSV, TSV, JSON lines, gzip and Parquet alike", async (t) => {
  const user = await testUser(t);
  const draft = await emptyDraft(user);
  const logger = draft.getLogger();
  writeFolder(user.scratch, {
    "t.csv": 'id,label\r\n0,cat\r\n1,"dog, ""big"""\r\n',
    "t.tsv": 'id\tlabel\n0\tcat\n1\tdog, "big"\n',
    "t.jsonl": '{"id":0,"label":"cat"}\n{"id":1,"label":"dog, \\"big\\""}\n',
    "t.parquet": parquetOf(2),
  });
  writeFileSync(join(user.scratch, "t.csv.gz"), gzipSync(readFileSync(join(user.scratch, "t.csv"))));
  const objects = [
    { id: 0, label: "cat" },
    { id: 1, label: 'dog, "big"' },
  ];
  await logger.reportTable({ title: "objects", rows: objects });
  for (const name of ["t.csv", "t.tsv", "t.jsonl", "t.csv.gz"])
    await logger.reportTable({ title: name, path: join(user.scratch, name) });
  await logger.reportTable({ title: "parquet", parquet: join(user.scratch, "t.parquet") });
  const tables = await Promise.all((await draft.listReports()).map((report) => jsonIn(draft, report)));
  const wanted = {
    columns: ["id", "label"],
    rows: [
      [0, "cat"],
      [1, 'dog, "big"'],
    ],
  };
  assert.deepEqual(
    tables.slice(0, 5),
    Array.from({ length: 5 }, () => wanted),
  );
  assert.deepEqual(tables[5], {
    columns: ["id", "label"],
    rows: [
      [0, "cat"],
      [1, "dog"],
    ],
  });
});

test("what cannot be shown is refused at the border, and nothing is noted", async (t) => {
  const user = await testUser(t);
  const draft = await emptyDraft(user);
  const logger = draft.getLogger();
  writeFolder(user.scratch, { "t.parquet": "no parquet", "t.xyz": "x" });
  const refused: [() => Promise<unknown>, string][] = [
    [() => logger.reportHistogram({ title: "h", values: [1, NaN] }), "bad-input"],
    [() => logger.reportHistogram({ title: "h", values: [1], xlabels: ["a", "b"] }), "bad-input"],
    [() => logger.reportScalar({ title: "s", value: Infinity }), "bad-input"],
    [() => logger.reportPlot({ title: "p", figure: {} as { data: [] } }), "bad-input"],
    [() => logger.reportImage({ title: "i", bytes: Buffer.from("text") }), "bad-input"],
    [() => logger.reportImage({ title: "i", bytes: PNG, type: "image/jpeg" }), "bad-input"],
    [() => logger.reportMedia({ title: "m", bytes: Buffer.from("x"), type: "application/pdf" }), "bad-input"],
    [() => logger.reportTable({ title: "t", rows: [1] as unknown as [] }), "bad-input"],
    [() => logger.reportTable({ title: "t" }), "bad-input"],
    [() => logger.reportTable({ title: "t", path: join(user.scratch, "t.parquet") }), "source-unreadable"],
    [() => logger.reportTable({ title: "t", path: join(user.scratch, "t.xyz") }), "source-unreadable"],
    [
      () => logger.reportTable({ title: "t", rows: Array.from({ length: 10_001 }, () => ({ a: 1 })) }),
      "bad-input",
    ],
    [() => logger.reportText({ title: "", text: "x" }), "bad-input"],
    [() => logger.reportText({ title: "x", text: "x", iteration: -1 }), "bad-input"],
  ];
  for (const [report, code] of refused) await assert.rejects(report(), { code });
  assert.deepEqual(await draft.listReports(), []);
});

test("an export has names that are safe, tables as CSV too, and an index that says what is what", async (t) => {
  const user = await testUser(t);
  const draft = await emptyDraft(user);
  const logger = draft.getLogger();
  await logger.reportTable({ title: "../../etc/passwd", series: "a b", rows: [{ x: 'say "hi"', y: 1 }] });
  await logger.reportImage({ title: "-rf é", bytes: PNG });
  await draft.finalize();
  const folder = join(user.scratch, "out");
  const exported = await draft.exportReports(folder);
  assert.deepEqual(readdirSync(folder).sort(), [
    "001-etc_passwd-a_b.csv",
    "001-etc_passwd-a_b.json",
    "002-rf_e_.png",
    "index.json",
  ]);
  assert.equal(readFileSync(join(folder, "001-etc_passwd-a_b.csv"), "utf8"), 'x,y\n"say ""hi""",1\n');
  assert.deepEqual(readFileSync(join(folder, "002-rf_e_.png")), PNG);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "index.json"), "utf8")), {
    format: 1,
    reports: exported,
  });
});
