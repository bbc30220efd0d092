/**
 * A program that serves a sample version through fuse-native, as `serve-version.ts` does through the kernel. It says
 * `mounted`, unmounts when its standard input says how, and says `ended {…}` and its log lines.
 */
import { createInterface } from "node:readline";

import { openCache } from "../../../src/cache/cache.js";
import type { RemoteId } from "../../../src/content/chunk.js";
import { messageOf } from "../../../src/errors.js";
import type { Facts } from "../../../src/log.js";
import { openOverlay } from "../../../src/fs/overlay/overlay.js";
import { rangeLoader } from "../../../src/fs/range-loader.js";
import { readOnlyFileSystem } from "../../../src/fs/read-only.js";
import { serveFuseNative } from "../../../src/fs/transport/fuse-native.js";
import { VersionFiles } from "../../../src/fs/version-files.js";
import { openRoot } from "../../../src/manifest/root.js";
import { Tree } from "../../../src/manifest/tree.js";
import { withLatency } from "../../support/latency.js";
import { memoryRemote } from "../../support/memory-remote.js";
import { type SampleName, sample } from "./samples.js";
import { putVersion } from "./version.js";

export interface ServeFuseNativeOptions {
  mountpoint: string;
  /** Holds the cache and the overlay. */
  folder: string;
  sample: SampleName;
  writable: boolean;
  latencyMs: number;
}

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;

const {
  mountpoint,
  folder,
  sample: name,
  writable,
  latencyMs,
} = JSON.parse(process.argv[2]!) as ServeFuseNativeOptions;
const store = memoryRemote();
const root = await putVersion(store, REMOTE, sample(name));
const cache = await openCache({
  directory: `${folder}/cache`,
  remoteOf: () => withLatency(store, latencyMs),
});
const tree = new Tree(openRoot(await cache.read(root)), rangeLoader(cache.local));
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, preserveOwner: writable };
const files = new VersionFiles(tree, cache.local, { ...owner, prefetch: (blocks) => cache.prefetch(blocks) });
const overlay = writable ? openOverlay(`${folder}/overlay`, files) : undefined;

const say = (what: string, value: unknown) => console.log(`${what} ${JSON.stringify(value)}`);
const tell = (event: string, facts: Facts = {}) =>
  say(event, { ...facts, error: facts["error"] && messageOf(facts["error"]) });

const mount = await serveFuseNative({
  mountpoint,
  name: "p/sample,odd@1.0.0",
  fileSystem: overlay ?? readOnlyFileSystem(files),
  fetch: async ({ blocks }) => {
    await cache.readMany(blocks);
  },
  log: { debug: tell, info: tell, warn: tell, error: tell, close: () => undefined },
});
console.log("mounted");
const commands = createInterface(process.stdin).on("line", (line) => {
  mount
    .unmount({ force: line === "force", lazy: line === "lazy" })
    .catch((error: unknown) => say("failed", messageOf(error)));
});
say("ended", await mount.ended);
commands.close();
process.stdin.destroy();
overlay?.close();
await cache.close();
