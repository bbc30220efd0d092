/**
 * Preloaded into varve's processes (`NODE_OPTIONS=--import`): remotes `far:///path` are folders to which every request
 * takes 50 ms, and whose reads are written down in the file that `FAR_LOG` names.
 */
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { fileRemote } from "../../../src/remote/file/file.js";
import { registerScheme } from "../../../src/remote/open.js";
import type { Remote } from "../../../src/remote/remote.js";
import { withLatency } from "../../support/latency.js";

const LATENCY_MS = 50;

registerScheme("far", (url) =>
  noting(withLatency(fileRemote(fileURLToPath(`file://${url.pathname}`)), LATENCY_MS)),
);

function noting(remote: Remote): Remote {
  const note = (key: string) => {
    const log = process.env["FAR_LOG"];
    if (log !== undefined) appendFileSync(log, `${key}\n`);
  };
  return {
    ...remote,
    async read(key, start, end, options) {
      note(key);
      return remote.read(key, start, end, options);
    },
    async readWhole(key, options) {
      note(key);
      return remote.readWhole(key, options);
    },
  };
}
