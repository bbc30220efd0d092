import assert from "node:assert/strict";
import { test } from "node:test";

import { parseGcsUrl } from "../../../src/remote/gcs/location.js";
import { normalizeRemoteUrl, openRemote } from "../../../src/remote/open.js";
import { failure } from "../suite.js";

const parse = (url: string, env: NodeJS.ProcessEnv = {}) => parseGcsUrl(new URL(url), env);

const GOOGLE = {
  bucket: "bucket",
  prefix: "",
  endpoint: "https://storage.googleapis.com",
  anonymous: false,
};

test("gcs: a URL of a bucket alone is at Google's, with credentials", () => {
  assert.deepEqual(parse("gs://bucket"), GOOGLE);
  assert.deepEqual(parse("gs://bucket/a%20b/c/"), { ...GOOGLE, prefix: "a b/c/" });
  assert.deepEqual(parse("gs://bucket?anonymous=1"), { ...GOOGLE, anonymous: true });
});

test("gcs: an emulator that the environment names is asked without credentials, unless the URL says otherwise", () => {
  const env = { STORAGE_EMULATOR_HOST: "localhost:4443" };
  const emulated = { ...GOOGLE, endpoint: "http://localhost:4443", anonymous: true };
  assert.deepEqual(parse("gs://bucket", env), emulated);
  assert.deepEqual(parse("gs://bucket", { STORAGE_EMULATOR_HOST: "http://localhost:4443/" }), emulated);
  assert.deepEqual(parse("gs://bucket?anonymous=0", env), { ...emulated, anonymous: false });
  const endpoint = "http://127.0.0.1:1";
  assert.deepEqual(parse(`gs://bucket?endpoint=${endpoint}`, env), { ...GOOGLE, endpoint });
});

test("gcs: a token is promised to nobody but Google and this machine", () => {
  for (const endpoint of [
    "https://evil.example",
    "https://googleapis.com.evil.example",
    "http://storage.googleapis.com",
  ]) {
    assert.throws(() => parse(`gs://bucket?endpoint=${endpoint}`), failure("bad-input"), endpoint);
    assert.equal(parse(`gs://bucket?endpoint=${endpoint}&anonymous=1`).endpoint, endpoint);
  }
  for (const endpoint of ["https://europe-west3-storage.p.googleapis.com", "http://[::1]:9000"])
    assert.equal(parse(`gs://bucket?endpoint=${endpoint}`).endpoint, endpoint);
});

test("gcs: all URLs that say the same have one form, and the environment is no part of it", () => {
  const form = "gs://bucket/a%20b/c?anonymous=1&endpoint=http%3A%2F%2Fhost%3A1";
  for (const url of [form, "gs://bucket/x/../a b/c//?endpoint=http://HOST:1/&anonymous=1"])
    assert.equal(normalizeRemoteUrl(url), form, url);
  assert.equal(normalizeRemoteUrl("gs://bucket/"), "gs://bucket");
});

test("gcs: what could be a secret is refused in a URL, and not repeated", async () => {
  for (const url of [
    "gs://bucket?access_token=hush",
    "gs://hush@bucket",
    "gs://key:hush@bucket",
    "gs://bucket#hush",
    "gs://bucket?endpoint=https://key:hush@storage.googleapis.com",
    "gs://bucket?anonymous=hush",
    "gs://b",
    "gs://bucket:1/x",
  ])
    await assert.rejects(openRemote(url), (error: Error) => {
      assert.doesNotMatch(error.message, /hush/);
      return failure("bad-input")(error);
    });
});
