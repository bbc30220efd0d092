import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { styleOf } from "../../src/cli/style.js";
import { renderFacts, renderTable } from "../../src/cli/table.js";
import { fit, widthOf } from "../../src/cli/text-width.js";

const COLUMNS = [
  { title: "NAME", shrinks: true },
  { title: "FILES", align: "right" },
  { title: "TAGS" },
] as const;

test("columns are aligned, numbers to the right, and no line ends in spaces", () => {
  const rows = [
    ["vision/cifar10", "60,000", "clean"],
    ["a", "7", ""],
  ];
  assert.equal(
    renderTable(COLUMNS, rows),
    ["NAME             FILES  TAGS", "vision/cifar10  60,000  clean", "a                    7"].join("\n"),
  );
});

test("a table without rows is empty: there is nothing to say in columns", () => {
  assert.equal(renderTable(COLUMNS, []), "");
});

test("wide characters take two columns and combining marks none", () => {
  assert.deepEqual(["日本", "한국", "e\u0301", "ü", "🎉", "plain"].map(widthOf), [4, 4, 1, 1, 2, 5]);
  const table = renderTable(
    [{ title: "N" }, { title: "X" }],
    [
      ["日本", "1"],
      ["abcd", "2"],
    ],
  );
  assert.equal(table, "N     X\n日本  1\nabcd  2");
});

test("a table wider than the terminal shortens only the column that may shrink", () => {
  const rows = [["a-very-long-name-of-a-dataset", "60,000", "clean"]];
  const lines = renderTable(COLUMNS, rows, { widthColumns: 30 }).split("\n");
  assert.deepEqual(lines, ["NAME              FILES  TAGS", "a-very-long-na…  60,000  clean"]);
});

test("the widest columns give way first, and none below what says something", () => {
  const columns = [
    { title: "A", shrinks: true },
    { title: "B", shrinks: true },
  ];
  const rows = [["a".repeat(30), "b".repeat(12)]];
  const [, even] = renderTable(columns, rows, { widthColumns: 22 }).split("\n");
  const [, least] = renderTable(columns, rows, { widthColumns: 5 }).split("\n");
  assert.deepEqual([even, least], ["aaaaaaaaa…  bbbbbbbbb…", "aaaaaaa…  bbbbbbb…"]);
});

test("fit() never exceeds its columns and keeps text that fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, columns) => {
      const fitted = fit(text, columns);
      return widthOf(text) <= columns ? fitted === text : widthOf(fitted) <= columns;
    }),
  );
});

test("facts line up their values", () => {
  assert.equal(
    renderFacts([
      ["id", "ab"],
      ["lineage", "1.0.0"],
    ]),
    "id       ab\nlineage  1.0.0",
  );
});

test("there are colours in a terminal only, and none with NO_COLOR or a dumb one", () => {
  const shown = (isTTY: boolean, env: Record<string, string>) => styleOf({ isTTY }, env).bold("x");
  assert.equal(shown(true, {}), "\u001b[1mx\u001b[22m");
  assert.deepEqual(
    [shown(false, {}), shown(true, { NO_COLOR: "1" }), shown(true, { TERM: "dumb" })],
    ["x", "x", "x"],
  );
});
