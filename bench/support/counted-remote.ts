/**
 * Preloaded into varve's processes (`NODE_OPTIONS=--import`): remotes `counted:///path` are folders whose requests are
 * written down in the file that BENCH_LOG names, a line each: what, key, bytes.
 */
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { fileRemote } from "../../src/remote/file/file.js";
import { registerScheme } from "../../src/remote/open.js";
import type { Remote } from "../../src/remote/remote.js";

const log = process.env["BENCH_LOG"];

registerScheme("counted", (url) => counted(fileRemote(fileURLToPath(`file://${url.pathname}`))));

function counted(remote: Remote): Remote {
  return {
    ...remote,
    async read(key, start, end, options) {
      note("read", key, end - start);
      return remote.read(key, start, end, options);
    },
    async readWhole(key, options) {
      const bytes = await remote.readWhole(key, options);
      note("read", key, bytes.byteLength);
      return bytes;
    },
    async stat(key, options) {
      note("stat", key, 0);
      return remote.stat(key, options);
    },
    async put(key, body, options) {
      note("put", key, body instanceof Uint8Array ? body.byteLength : body.sizeBytes);
      await remote.put(key, body, options);
    },
    async create(key, body, options) {
      note("put", key, body.byteLength);
      await remote.create(key, body, options);
    },
    list(prefix, options) {
      note("list", prefix, 0);
      return remote.list(prefix, options);
    },
  };
}

function note(what: string, key: string, bytes: number): void {
  if (log !== undefined) appendFileSync(log, `${what} ${key} ${bytes}\n`);
}
