import assert from "node:assert/strict";
import { test } from "node:test";

import { isDatasetError } from "../../src/errors.js";
import { ListingGuard } from "../../src/remote/listing-guard.js";

const isFailure = (error: unknown) => isDatasetError(error, "remote-failed");

test("keys in rising order and pages that follow each other pass, empty ones among them", () => {
  const guard = new ListingGuard("s3://b", "");
  for (const key of ["a", "a/b", "ü", "b"]) assert.equal(guard.key(key), key);
  for (const token of ["1", "2", "3", undefined]) assert.equal(guard.page(token), token);
});

test("a listing that goes back, repeats its page, or never ends is refused", () => {
  const back = new ListingGuard("s3://b", "");
  back.key("b");
  assert.throws(() => back.key("a"), isFailure);
  const same = new ListingGuard("s3://b", "");
  same.key("a");
  same.page("1");
  assert.throws(() => same.page("1"), isFailure);
  const endless = new ListingGuard("s3://b", "");
  assert.throws(() => {
    for (let number = 0; ; number++) endless.page(String(number));
  }, isFailure);
});
