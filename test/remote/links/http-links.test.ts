/** External files of a web server: what pins them, how ranges of them are read, and what is told when they have changed. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { isDatasetError } from "../../../src/errors.js";
import { openLinks } from "../../../src/remote/links/links.js";
import type { LinkSource } from "../../../src/remote/links/source.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { type Scope, atEnd } from "../../support/cleanup.js";
import { webServer } from "../../support/web-server.js";

const MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT";

function links(scope: Scope) {
  const opened = openLinks({ baseDelayMs: 1 });
  atEnd(scope, () => opened.close());
  return opened;
}

function failsWith(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(isDatasetError(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

test("a file is told by its size, its strong ETag and the time it was modified", async (t) => {
  const web = await webServer(t);
  const bytes = Buffer.from("hello");
  web.files.set("/both", { bytes, etag: '"one"', modified: MODIFIED });
  web.files.set("/weak", { bytes, etag: 'W/"one"', modified: MODIFIED });
  web.files.set("/neither", { bytes, etag: null });
  web.files.set("/empty", { bytes: Buffer.alloc(0), etag: '"none"' });
  const opened = links(t);
  const pinsOf = async (path: string) => (await opened.look(web.url + path))?.pins;

  assert.deepEqual(await opened.look(`${web.url}/both`), {
    url: `${web.url}/both`,
    sizeBytes: 5,
    pins: ['etag:"one"', `modified:${MODIFIED}`],
    modifiedMs: Date.parse(MODIFIED),
  });
  assert.deepEqual(await pinsOf("/weak"), [`modified:${MODIFIED}`]);
  assert.deepEqual(await pinsOf("/neither"), []);
  assert.deepEqual(await pinsOf("/empty"), ['etag:"none"']);
  assert.equal((await opened.look(`${web.url}/empty`))?.sizeBytes, 0);
  assert.equal(await opened.look(`${web.url}/missing`), undefined);
});

test("a range is read through redirects, cut answers and a busy server", async (t) => {
  const web = await webServer(t);
  const bytes = noise("web", 100_000);
  web.files.set("/there", { bytes, etag: '"one"' });
  web.redirects.set("/here", "/there");
  const source: LinkSource = { url: `${web.url}/here`, pin: 'etag:"one"', sizeBytes: bytes.length };
  web.faults = { cuts: 1, failures: 1 };

  assert.deepEqual(Buffer.from(await links(t).read(source, 500, 90_000)), bytes.subarray(500, 90_000));
  assert.deepEqual(web.faults, { cuts: 0, failures: 0 });
});

for (const noConditions of [false, true])
  test(`a file that changed is not read, by a server that ${noConditions ? "overlooks" : "heeds"} conditions`, async (t) => {
    const web = await webServer(t);
    web.faults = { noConditions };
    const opened = links(t);
    const pins = ['etag:"one"', `modified:${MODIFIED}`];
    const later = "Sun, 06 Nov 1994 08:49:38 GMT";
    for (const pin of pins) {
      const source: LinkSource = { url: `${web.url}/file`, pin, sizeBytes: 5 };
      web.files.set("/file", { bytes: Buffer.from("hello"), etag: '"one"', modified: MODIFIED });
      assert.equal(Buffer.from(await opened.read(source, 0, 5)).toString(), "hello");
      assert.equal(await opened.check(source), "same");
      web.files.set("/file", { bytes: Buffer.from("HELLO"), etag: '"two"', modified: later });
      await assert.rejects(opened.read(source, 0, 5), failsWith("source-changed", /another state/));
      assert.equal(await opened.check(source), "changed");
      web.files.delete("/file");
      await assert.rejects(opened.read(source, 0, 5), failsWith("source-changed", /it is gone/));
      assert.equal(await opened.check(source), "missing");
    }
    web.files.set("/file", { bytes: Buffer.from("longer"), etag: null });
    const unpinned = { url: `${web.url}/file`, pin: "", sizeBytes: 5 };
    await assert.rejects(opened.read(unpinned, 0, 5), failsWith("source-changed", /has 6 bytes now/));
  });

test("a pin of a kind that is unknown here is not taken for none", async (t) => {
  const web = await webServer(t);
  web.files.set("/file", { bytes: Buffer.from("hello") });
  const source = { url: `${web.url}/file`, pin: "blake9:00", sizeBytes: 5 };
  await assert.rejects(links(t).read(source, 0, 5), failsWith("source-changed", /another state/));
});

test("of a server without ranges a small file is read whole, and a large one refused", async (t) => {
  const web = await webServer(t);
  web.faults = { noRanges: true };
  web.files.set("/small", { bytes: Buffer.from("hello"), etag: '"one"' });
  web.files.set("/large", { bytes: Buffer.alloc(16 * MiB + 1), etag: '"one"' });
  const opened = links(t);
  const source = { url: `${web.url}/small`, pin: 'etag:"one"', sizeBytes: 5 };

  assert.equal(Buffer.from(await opened.read(source, 1, 3)).toString(), "el");
  await assert.rejects(opened.look(`${web.url}/large`), failsWith("unsupported", /sends no ranges/));
});

test("a redirect to another scheme, or without end, is refused", async (t) => {
  const web = await webServer(t);
  web.redirects.set("/file", "file:///etc/hostname");
  web.redirects.set("/round", "/round");
  const opened = links(t);
  await assert.rejects(opened.look(`${web.url}/file`), failsWith("remote-refused", /another scheme/));
  await assert.rejects(opened.look(`${web.url}/round`), failsWith("remote-refused", /without end/));
});

test("a web server's folder cannot be listed", async (t) => {
  const web = await webServer(t);
  const listed = links(t).list(`${web.url}/folder/`)[Symbol.asyncIterator]();
  await assert.rejects(listed.next(), failsWith("not-found", /list no folders/));
});
