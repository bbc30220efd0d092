import assert from "node:assert/strict";
import { test } from "node:test";

import { normalizeRemoteUrl } from "../../../src/remote/open.js";
import { parseS3Url } from "../../../src/remote/s3/location.js";
import { failure } from "../suite.js";

const parse = (url: string, env: NodeJS.ProcessEnv = {}) => parseS3Url(new URL(url), env);

const ON_AMAZON = {
  bucket: "bucket",
  prefix: "",
  endpoint: undefined,
  region: undefined,
  pathStyle: false,
  checksums: true,
  anonymous: false,
};

test("a URL of a bucket alone leaves all to the SDK's own settings", () => {
  assert.deepEqual(parse("s3://bucket"), ON_AMAZON);
  assert.deepEqual(parse("s3://bucket/a/b/"), { ...ON_AMAZON, prefix: "a/b/" });
  assert.deepEqual(parse("s3://bucket/a%20b"), { ...ON_AMAZON, prefix: "a b/" });
});

test("an endpoint means path style, no more checksums than needed, and some region", () => {
  const elsewhere = { ...ON_AMAZON, region: "us-east-1", pathStyle: true, checksums: false };
  const endpoint = "http://store:9000";
  assert.deepEqual(parse(`s3://bucket?endpoint=${endpoint}/`), { ...elsewhere, endpoint });
  assert.deepEqual(parse("s3://bucket", { AWS_ENDPOINT_URL: endpoint }), { ...elsewhere, endpoint });
  const settings = "pathStyle=0&checksums=when-supported&region=eu-1&anonymous=1";
  assert.deepEqual(parse(`s3://bucket?endpoint=${endpoint}&${settings}`), {
    ...ON_AMAZON,
    endpoint,
    region: "eu-1",
    anonymous: true,
  });
});

test("a setting in the URL wins over the environment, the one for S3 over the one for all", () => {
  const env = {
    AWS_ENDPOINT_URL: "http://all",
    AWS_ENDPOINT_URL_S3: "http://s3",
    AWS_REGION: "r1",
    AWS_DEFAULT_REGION: "r0",
    AWS_REQUEST_CHECKSUM_CALCULATION: "WHEN_SUPPORTED",
  };
  const { endpoint, region, checksums } = parse("s3://bucket", env);
  assert.deepEqual([endpoint, region, checksums], ["http://s3", "r1", true]);
  const url = parse("s3://bucket?endpoint=http://url&region=r2&checksums=when-required", env);
  assert.deepEqual([url.endpoint, url.region, url.checksums], ["http://url", "r2", false]);
});

test("all URLs that say the same have one form, and the environment is no part of it", () => {
  const form = "s3://bucket/a%20b/c?endpoint=http%3A%2F%2Fhost%3A1&region=r1";
  for (const url of [
    form,
    "s3://bucket/a b/c/?region=r1&endpoint=http://host:1/",
    "s3://bucket/x/../a%20b/c//?endpoint=http://HOST:1&region=r1",
  ])
    assert.equal(normalizeRemoteUrl(url), form, url);
  assert.equal(normalizeRemoteUrl("s3://bucket/"), "s3://bucket");
});

test("what could be a secret is refused in a URL, and not repeated", () => {
  for (const url of [
    "s3://bucket?secretAccessKey=hush",
    "s3://bucket?X-Amz-Signature=hush",
    "s3://hush@bucket",
    "s3://key:hush@bucket",
    "s3://bucket?endpoint=http://key:hush@host",
    "s3://bucket?endpoint=http://host/?token=hush",
    "s3://bucket?region=hush/hush",
    "s3://bucket#hush",
  ])
    assert.throws(
      () => normalizeRemoteUrl(url),
      (error: Error) => {
        assert.ok(failure("bad-input")(error));
        assert.doesNotMatch(JSON.stringify([error.message, error]), /hush/, url);
        return true;
      },
    );
});

test("a URL that names no bucket, no prefix that can be one, or an odd setting is refused", () => {
  for (const url of [
    "s3://",
    "s3:///prefix",
    "s3://bucket:90/x",
    "s3://bucket/a//b",
    "s3://bucket/%ff",
    "s3://bucket/%C3%BC",
    "s3://bucket?pathStyle=yes",
    "s3://bucket?checksums=never",
    "s3://bucket?endpoint=ftp://host",
  ])
    assert.throws(() => normalizeRemoteUrl(url), failure("bad-input"), url);
  assert.throws(() => normalizeRemoteUrl("s3://mine--usw2-az1--x-s3"), failure("unsupported"));
});
