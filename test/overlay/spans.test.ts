/** Ranges of bytes, against sets of single bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import Database from "better-sqlite3";
import fc from "fast-check";
import { SpanTable } from "../../src/fs/overlay/span-table.js";
import { type Span, segmentsOf, without } from "../../src/fs/overlay/spans.js";

const MAX = 40;
const span = fc
  .tuple(fc.nat(MAX - 1), fc.integer({ min: 1, max: 15 }))
  .map(([start, length]) => ({ start, end: start + length }));
const edit = fc.oneof(fc.record({ add: span }), fc.record({ cut: fc.nat(MAX) }));

const bytesOf = ({ start, end }: Span): number[] => Array.from({ length: end - start }, (_, i) => start + i);

test("a table of ranges holds what was added and not cut since, merged and disjoint, for each owner alone", () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), span, (edits, asked) => {
      const { table, close } = emptyTable();
      const model = new Set<number>();
      table.add([2], { start: 0, end: MAX });
      for (const one of edits) {
        if ("add" in one) {
          table.add([1], one.add);
          for (const byte of bytesOf(one.add)) model.add(byte);
        } else {
          table.cut([1], one.cut);
          for (const byte of [...model]) if (byte >= one.cut) model.delete(byte);
        }
      }
      const all = table.all([1]);
      assert.deepEqual(
        all.flatMap(bytesOf),
        [...model].sort((a, b) => a - b),
      );
      assert.ok(all.every(({ start }, index) => index === 0 || all[index - 1]!.end < start));
      assert.equal(
        table.covers([1], asked),
        bytesOf(asked).every((byte) => model.has(byte)),
      );
      assert.deepEqual(
        without(table.within([1], asked), asked).flatMap(bytesOf),
        bytesOf(asked).filter((byte) => !model.has(byte)),
      );
      assert.deepEqual(table.all([2]), [{ start: 0, end: MAX }]);
      close();
    }),
    { numRuns: 60 },
  );
});

test("segments cut a span without gap or overlap: local where told, else base up to its size, else zeros", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 5 }), fc.nat(MAX), span, (added, baseSizeBytes, asked) => {
      const { table, close } = emptyTable();
      for (const one of added) table.add([1], one);
      const local = new Set(added.flatMap(bytesOf));
      const from = (byte: number): string =>
        local.has(byte) ? "local" : byte < baseSizeBytes ? "base" : "zeros";
      const segments = segmentsOf(table.all([1]), baseSizeBytes, asked);
      const told = segments.flatMap((segment) => bytesOf(segment).map((byte) => [byte, segment.from]));
      assert.deepEqual(
        told,
        bytesOf(asked).map((byte) => [byte, from(byte)]),
      );
      close();
    }),
  );
});

function emptyTable(): { table: SpanTable<[number]>; close: () => void } {
  const db = new Database(":memory:");
  db.exec("create table extents (ino, start_bytes, end_bytes)");
  return { table: new SpanTable<[number]>(db, "extents", ["ino"]), close: () => db.close() };
}
