/** URLs of external files: one form for each source, and no credentials in any. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";

import { isDatasetError } from "../../../src/errors.js";
import { bytesOfFileUrl, fileUrlOf } from "../../../src/remote/links/file-url.js";
import { nameInUrl, normalizeLinkUrl } from "../../../src/remote/links/link-url.js";

test("each source has one form", () => {
  const forms: [string, string][] = [
    ["/data/a b", "file:///data/a%20b"],
    ["file:///data/a%20b", "file:///data/a%20b"],
    ["file:///data/%61", "file:///data/a"],
    ["/data/été#1?", "file:///data/%C3%A9t%C3%A9%231%3F"],
    ["relative", `file://${resolve("relative")}`],
    ["/data/folder/", "file:///data/folder/"],
    ["HTTPS://Example.com:443/a b?v=1#part", "https://example.com/a%20b?v=1"],
    ["s3://bucket/a b.jpg?region=eu-central-1", "s3://bucket/a%20b.jpg?region=eu-central-1"],
  ];
  for (const [text, form] of forms) {
    assert.equal(normalizeLinkUrl(text), form);
    assert.equal(normalizeLinkUrl(form), form);
  }
});

test("a path of any bytes survives the way into a URL and back", () => {
  const path = `/${String.fromCharCode(...Array.from({ length: 255 }, (_, at) => at + 1))}`;
  assert.equal(bytesOfFileUrl(fileUrlOf(path)), path);
  assert.equal(nameInUrl(fileUrlOf("/data/\xff.jpg")), "\xff.jpg");
});

test("credentials are refused with where they belong, and not repeated", () => {
  const tries: [string, RegExp][] = [
    ["https://user:planted@host/a", /http\(s\) links are read without/],
    ["s3://planted@bucket/a", /set AWS_ACCESS_KEY_ID/],
    ["https://account.blob.core.windows.net/c/a?sv=2024&sig=planted", /"sig"/],
    ["azure://account.blob.core.windows.net/c/a?sv=2024&sig=planted", /set AZURE_STORAGE_SAS_TOKEN/],
    ["https://bucket.s3.amazonaws.com/a?X-Amz-Signature=planted", /"X-Amz-Signature"/],
    ["https://host/a?X-Goog-Signature=planted", /"X-Goog-Signature"/],
    ["https://host/a?access_token=planted", /"access_token"/],
    ["https://host/a?api_key=planted", /"api_key"/],
  ];
  for (const [url, message] of tries) assert.throws(() => normalizeLinkUrl(url), badInput(message), url);
});

test("what is no URL of an external file is refused", () => {
  const tries: [string, RegExp][] = [
    ["ftp://host/a", /its scheme "ftp:"/],
    ["http://", /no URL/],
    ["file://host/a", /names the host "host"/],
    ["file:///a?b", /has a "\?"/],
    ["s3://bucket/a#b", /has a "#"/],
    ["file:///a%2fb", /encoded slash/],
  ];
  for (const [url, message] of tries) assert.throws(() => normalizeLinkUrl(url), badInput(message), url);
});

function badInput(message: RegExp) {
  return (error: unknown) => {
    assert.ok(isDatasetError(error, "bad-input"), String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(JSON.stringify([error.message, error.data]), /planted/);
    return true;
  };
}
