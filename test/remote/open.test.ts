import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { normalizeRemoteUrl, openRemote, registerScheme } from "../../src/remote/open.js";
import { memoryRemote } from "../support/memory-remote.js";
import { tempDir } from "../support/temp.js";
import { bytes, failure } from "./suite.js";

test("openRemote() opens a folder by its path and by its URL, odd characters included", async (t) => {
  const directory = join(await tempDir(t), "a b#c?d%e");
  await (await openRemote(directory)).put("a", bytes("hello"));
  const byUrl = await openRemote(pathToFileURL(directory).href);
  assert.deepEqual(await byUrl.readWhole("a"), bytes("hello"));
  assert.equal(byUrl.url, normalizeRemoteUrl(directory));
});

test("normalizeRemoteUrl() gives one URL for all that mean the same folder", () => {
  for (const text of [
    "/data/varve",
    "/data/varve/",
    "/data//x/../varve",
    "file:///data/varve",
    "file:///data/varve//",
    "file://localhost/data/varve",
  ])
    assert.equal(normalizeRemoteUrl(text), "file:///data/varve", text);
  assert.equal(normalizeRemoteUrl("/"), "file:///");
  assert.equal(normalizeRemoteUrl("/a b#c"), "file:///a%20b%23c");
});

test("a relative path is refused, and the message says what works", async () => {
  for (const text of ["data", "./data", "../data", "~/data", ""])
    await assert.rejects(openRemote(text), {
      code: "bad-input",
      data: { value: text },
      message: `Cannot use "${text}" as a remote: it is a relative path; give an absolute path such as "/data/varve", "file:///data/varve", "s3://bucket/prefix", "gs://bucket/prefix" or "azure://account.blob.core.windows.net/container/prefix"`,
    });
});

test("a URL that would lose a part of its path is refused", async () => {
  for (const url of ["file://server/share", "file:///a#b", "file:///a?b", "file:///a%2Fb", "file:///a%00b"])
    await assert.rejects(openRemote(url), failure("bad-input"), url);
});

test("stores that are not spoken yet are unsupported, unknown schemes bad input", async () => {
  for (const url of ["http://host/x", "https://host/x"]) {
    await assert.rejects(openRemote(url), failure("unsupported"), url);
    assert.throws(() => normalizeRemoteUrl(url), failure("unsupported"), url);
  }
  await assert.rejects(openRemote("ftp://host/x"), failure("bad-input"));
});

test("a URL with a password is refused, and the message does not show it", async () => {
  await assert.rejects(openRemote("s3://key:secret@bucket"), (error: Error) => {
    assert.ok(failure("bad-input")(error));
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});

test("a registered scheme is opened by who registered it, with the URL as it was given", async () => {
  const opened: string[] = [];
  registerScheme("slow", (url) => {
    opened.push(`${url.pathname} ${url.searchParams.get("ms") ?? ""}`);
    return memoryRemote();
  });
  await openRemote("slow:///tmp/x?ms=15");
  assert.deepEqual(opened, ["/tmp/x 15"]);
  assert.equal(normalizeRemoteUrl("slow:///tmp/x?ms=15"), "slow:///tmp/x?ms=15");
});
