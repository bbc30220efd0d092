import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import {
  formatAge,
  formatBytes,
  formatCount,
  formatCountOf,
  formatDuration,
  formatPath,
  formatRate,
  formatTime,
  printable,
} from "../../src/cli/format.js";
import { bytesOfText } from "../../src/paths.js";
import { GiB, KiB, MiB } from "../../src/units.js";

test("sizes read in the unit that suits them, with one decimal where it says something", () => {
  const sizes = [0, 1, 1023, KiB, 1.5 * MiB, 99.9 * MiB, 100 * MiB, 1023 * GiB];
  assert.deepEqual(sizes.map(formatBytes), [
    "0 B",
    "1 B",
    "1,023 B",
    "1.0 KiB",
    "1.5 MiB",
    "99.9 MiB",
    "100 MiB",
    "1,023 GiB",
  ]);
});

test("a size that rounds up to 1,024 is shown in the next unit", () => {
  assert.deepEqual([MiB - 1, MiB, 1023.4 * KiB].map(formatBytes), ["1.0 MiB", "1.0 MiB", "1,023 KiB"]);
});

test("a shown size is within one step of its last digit of the real one", () => {
  const factors: Record<string, number> = { B: 1, KiB, MiB, GiB, TiB: 1024 * GiB, PiB: 1024 * 1024 * GiB };
  fc.assert(
    fc.property(fc.maxSafeNat(), (sizeBytes) => {
      const [digits, unit] = formatBytes(sizeBytes).split(" ") as [string, string];
      const factor = factors[unit] ?? NaN;
      const step = factor === 1 ? 0 : factor / (digits.includes(".") ? 10 : 1);
      return Math.abs(Number(digits.replaceAll(",", "")) * factor - sizeBytes) <= step;
    }),
  );
});

test("counts are grouped by thousands and bring their noun", () => {
  assert.deepEqual([0, 999, 1234, 10_000_000].map(formatCount), ["0", "999", "1,234", "10,000,000"]);
  assert.deepEqual([formatCountOf(1, "file"), formatCountOf(1234, "file")], ["1 file", "1,234 files"]);
  assert.equal(formatCountOf(0, "entry", "entries"), "0 entries");
});

test("rates are sizes a second", () => {
  assert.equal(formatRate(80.4 * MiB), "80.4 MiB/s");
});

test("times are shown in UTC, whatever the machine's zone", () => {
  assert.equal(formatTime(Date.UTC(2026, 10, 22, 10, 28, 41, 999)), "2026-11-22 10:28:41Z");
});

test("durations read in the two units that suit them, and never show 60 seconds", () => {
  const durations = [12, 999.6, 1500, 59_960, 65_000, 3_599_600, 3_720_000, 273_600_000];
  assert.deepEqual(durations.map(formatDuration), [
    "12 ms",
    "1.0 s",
    "1.5 s",
    "1 min 00 s",
    "1 min 05 s",
    "1 h 00 min",
    "1 h 02 min",
    "3 d 04 h",
  ]);
});

test("ages are rounded down, and the future is just now", () => {
  const minute = 60_000;
  const ages = [-5, 0, 59_000, 5 * minute, 119 * minute, 47 * 60 * minute, 12 * 24 * 60 * minute];
  assert.deepEqual(
    ages.map((age) => formatAge(1e12 - age, 1e12)),
    ["just now", "just now", "just now", "5 min ago", "1 h ago", "47 h ago", "12 days ago"],
  );
});

test("control characters of a name cannot drive a terminal, and other text is untouched", () => {
  assert.equal(
    formatPath(bytesOfText("a\u001b[31m\n\t\u007f\u0085\u2028/ü 日本")),
    "a\\u001b[31m\\n\\t\\u007f\\u0085\\u2028/ü 日本",
  );
  assert.equal(printable('quotes " and \\ stay'), 'quotes " and \\ stay');
});

test("a name that is not UTF-8 is shown with replacement characters", () => {
  assert.equal(formatPath("caf\u00e9"), "caf\ufffd");
});
