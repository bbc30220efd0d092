import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import semver from "semver";

import {
  canonicalLabel,
  compareLabels,
  isPrerelease,
  labelOrder,
  nextLabel,
  parseLabel,
} from "../../src/catalog/label.js";
import { failure } from "../remote/suite.js";
import { label, release } from "./labels.js";

/** Semantic Versioning 2.0.0, section 11, and labels with parts missing between them. */
const IN_ORDER = [
  "0", "0.0.1", "0.9", "1.0.0-0", "1.0.0-2", "1.0.0-10", "v1.0-alpha", "1-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
  "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-beta-", "1.0.0-rc.1", "1", "1.0.0+a", "1.0.0+b", "1.0.1", "1.2", "1.9", "1.10",
  "v2.0", "10", "99999999999999999999", "100000000000000000000",
]; // prettier-ignore

test("labels are ordered by SemVer's precedence, as if completed with zeros", () => {
  const shuffled = IN_ORDER.toReversed();
  assert.deepEqual(shuffled.toSorted(compareLabels), IN_ORDER);
});

test("labelOrder() orders any two labels as compareLabels() does", () => {
  fc.assert(
    fc.property(label, label, (a, b) => {
      const [left, right] = [labelOrder(a), labelOrder(b)];
      assert.equal(Math.sign(compareLabels(a, b)), left < right ? -1 : left > right ? 1 : 0);
    }),
    { numRuns: 2_000 },
  );
});

test("compareLabels() agrees with the semver package on complete labels without builds", () => {
  fc.assert(
    fc.property(release, release, (a, b) => {
      assert.equal(Math.sign(compareLabels(a, b)), semver.compare(a, b));
    }),
    { numRuns: 2_000 },
  );
});

test("two labels are equal in order only when their canonical labels are", () => {
  fc.assert(
    fc.property(label, label, (a, b) => {
      assert.equal(compareLabels(a, b) === 0, canonicalLabel(a) === canonicalLabel(b));
    }),
  );
  assert.equal(canonicalLabel("v1"), "1.0.0");
  assert.equal(canonicalLabel("1.2-rc.1+build.5"), "1.2.0-rc.1+build.5");
});

test("nextLabel() increments the last number of the most specific part that was written", () => {
  const next = {
    "1.0.0": "1.0.1",
    "1.0": "1.1",
    "1": "2",
    "1.2.9": "1.2.10",
    "v1.2.3": "1.2.4",
    "2.0.0-rc.1": "2.0.0-rc.2",
    "1.0.0-beta": "1.0.0-beta.1",
    "1.0-beta.2x": "1.0-beta.2x.1",
    "1.0.0+build.5": "1.0.1",
    "1.0.0-rc.1+build.5": "1.0.0-rc.2",
    "9007199254740993": "9007199254740994",
  };
  for (const [highest, wanted] of Object.entries(next)) assert.equal(nextLabel(highest), wanted);
  assert.equal(nextLabel(undefined), "1.0.0");
});

test("nextLabel() comes after its argument, and is a label itself", () => {
  fc.assert(
    fc.property(label, (highest) => {
      const next = nextLabel(highest);
      assert.ok(compareLabels(next, highest) > 0, next);
      assert.equal(parseLabel(next).text, next);
    }),
    { numRuns: 2_000 },
  );
});

test("a label is kept as written, and its parts are known", () => {
  assert.deepEqual(parseLabel("v1.2-rc.1+b.2"), {
    text: "v1.2-rc.1+b.2",
    numbers: ["1", "2"],
    prerelease: ["rc", "1"],
    build: "b.2",
  });
  assert.deepEqual(["1.0.0", "1-rc", "1+rc-1"].map(isPrerelease), [false, true, false]);
});

test("other text is refused, and the message says what works", () => {
  const wrong = [
    "", "v", "latest", "01.2.3", "1.02", "1.2.3.4", "1..2", "1.", ".1", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", "1.0.0+a..b",
    "1.0.0-ä", "V1", "vv1", "-1", "1 ", " 1", "1\n", "1/2", "../1", "1.0.0+a+b", "1".repeat(129),
  ]; // prettier-ignore
  for (const text of wrong) {
    for (const take of [parseLabel, canonicalLabel, labelOrder, nextLabel])
      assert.throws(() => take(text), failure("bad-input"), JSON.stringify(text));
  }
  assert.throws(() => parseLabel("first"), {
    data: { value: "first" },
    message: /^Cannot take "first" as a version label: give .*"1\.0"/,
  });
});
