/**
 * A program that mounts a sample version, kept in a memory remote some milliseconds away, and serves it. It says
 * `mounted`, then takes commands from standard input, a line each, and says `ended {…}` last. A test that waits on its
 * own mount would wait forever, so every mount is served from a process of its own.
 */
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

import { openCache } from "../../../src/cache/cache.js";
import type { RemoteId } from "../../../src/content/chunk.js";
import { isDatasetError, messageOf } from "../../../src/errors.js";
import { serveKernel } from "../../../src/fs/serve.js";
import { recording } from "../../../src/remote/recording.js";
import { withLatency } from "../../support/latency.js";
import { memoryRemote } from "../../support/memory-remote.js";
import { type SampleName, sample } from "./samples.js";
import { putVersion } from "./version.js";

export interface ServeVersionOptions {
  mountpoint: string;
  cacheDirectory: string;
  sample: SampleName;
  latencyMs: number;
  deadlineMs: number;
  allowOther: boolean;
  /** Makes the mount writable: changes go to this folder. */
  overlayDirectory?: string;
  /** Default: as a mount has it. */
  passthrough?: boolean;
  /** Objects whose key begins so are taken from the remote before the mount is made. */
  lose?: string;
}

const REMOTE = "0123456789abcdef0123456789abcdef" as RemoteId;

const options = JSON.parse(process.argv[2]!) as ServeVersionOptions;
const store = memoryRemote();
const root = await putVersion(store, REMOTE, sample(options.sample));
for (const key of [...store.objects.keys()])
  if (options.lose && key.startsWith(options.lose)) store.objects.delete(key);
const near = recording(store);
const far = recording(withLatency(store, options.latencyMs));
let remote = near;
const { mountpoint, cacheDirectory, deadlineMs, allowOther, overlayDirectory, passthrough } = options;
const cache = await openCache({ directory: cacheDirectory, remoteOf: () => remote, deadlineMs });

const say = (what: string, value?: unknown) =>
  console.log(value === undefined ? what : `${what} ${JSON.stringify(value)}`);
const tell = (error: unknown) =>
  say("failed", { code: isDatasetError(error) && error.code, message: messageOf(error) });
const warn = (event: string, facts?: object) => console.error(event, JSON.stringify(facts));
/** This program has no catalog. */
const answer = () => Promise.reject(new Error("nobody knows"));
const log = { debug: warn, info: warn, warn, error: warn, close: () => undefined };

try {
  const name = "p/sample@1.0.0";
  const shown = { version: { id: "0".repeat(32), reference: name }, root };
  const how = { shown, answer, deadlineMs, allowOther, overlayDirectory, passthrough, log };
  const mount = await serveKernel({ mountpoint, name, cache, cacheDirectory, ...how });
  remote = far; // From here on: what mounting itself fetched was near.
  say("mounted");
  const commands: Record<string, () => unknown> = {
    requests: () => say("requests", remote.calls),
    still: () => mount.still(() => setTimeout(1_000)).then(() => say("stirring")),
    writers: async () => say("writers", await mount.call("openForWriting")),
    unmount: () => mount.unmount(),
    lazy: () => mount.unmount({ lazy: true }).then(() => say("unmounted")),
    force: () => mount.unmount({ force: true }),
  };
  const lines = createInterface(process.stdin);
  lines.on("line", (line) => void Promise.resolve(commands[line]!()).catch(tell));
  say("ended", await mount.ended);
  lines.close();
} catch (error) {
  tell(error);
}
await cache.close();
process.stdin.destroy();
