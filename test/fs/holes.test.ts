import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { FileSystemError } from "../../src/fs/errno.js";
import { Whence, seek } from "../../src/fs/holes.js";

const MAX = 40;

/** A file as a row of bytes, each data or hole. */
const files = fc.array(fc.boolean(), { minLength: 1, maxLength: MAX });

function holesOf(isData: readonly boolean[]): [number, number][] {
  const holes: [number, number][] = [];
  isData.forEach((data, at) => {
    if (data) return;
    if (at > 0 && !isData[at - 1]) holes.at(-1)![1] = at + 1;
    else holes.push([at, at + 1]);
  });
  return holes;
}

test("seek() finds the next byte of data or hole, as a search byte by byte does", () => {
  fc.assert(
    fc.property(
      files,
      fc.nat(MAX - 1),
      fc.constantFrom(Whence.data, Whence.hole),
      (isData, offset, whence) => {
        fc.pre(offset < isData.length);
        const wanted = isData.findIndex((data, at) => at >= offset && data === (whence === Whence.data));
        const ask = () => seek(holesOf(isData), isData.length, offset, whence);
        if (wanted >= 0) assert.equal(ask(), wanted);
        else if (whence === Whence.hole) assert.equal(ask(), isData.length);
        else assert.throws(ask, new FileSystemError("ENXIO"));
      },
    ),
  );
});

test("seek() beyond the end is ENXIO, with another whence EINVAL", () => {
  assert.throws(() => seek([], 10, 10, Whence.hole), new FileSystemError("ENXIO"));
  assert.throws(() => seek([], 10, 0, 0), new FileSystemError("EINVAL"));
});
