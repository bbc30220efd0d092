/**
 * Preloaded into varve's processes (`NODE_OPTIONS=--import`): remotes `stalling:///path` are folders whose packs never
 * come. Everything else does, so that a mount can be made and listed.
 */
import { fileURLToPath } from "node:url";

import { cancellable } from "../../../src/remote/cancel.js";
import { fileRemote } from "../../../src/remote/file/file.js";
import { registerScheme } from "../../../src/remote/open.js";
import type { Remote } from "../../../src/remote/remote.js";

registerScheme("stalling", (url) => stalling(fileRemote(fileURLToPath(`file://${url.pathname}`))));

function stalling(remote: Remote): Remote {
  return {
    ...remote,
    read: (key, start, end, options) =>
      key.startsWith("packs/")
        ? cancellable(options?.signal, `request for "${key}"`, () => new Promise<never>(() => {}))
        : remote.read(key, start, end, options),
  };
}
