/**
 * Loaded into a varve process by `NODE_OPTIONS=--import`: makes `crashing:///folder` a remote of files that kills the
 * process, as `kill -9` would, at the request that VARVE_TEST_CRASH names: `before put packs/`, `after create datasets/`.
 */
import { fileRemote } from "../../../src/remote/file/file.js";
import { registerScheme } from "../../../src/remote/open.js";
import type { Remote } from "../../../src/remote/remote.js";

const crash = process.env["VARVE_TEST_CRASH"];

registerScheme("crashing", (url) => crashing(fileRemote(url.pathname)));

function crashing(remote: Remote): Remote {
  return {
    ...remote,
    put: (key, ...rest) => around(`put ${key}`, () => remote.put(key, ...rest)),
    create: (key, ...rest) => around(`create ${key}`, () => remote.create(key, ...rest)),
  };
}

async function around<T>(request: string, make: () => Promise<T>): Promise<T> {
  crashAt(`before ${request}`);
  const result = await make();
  crashAt(`after ${request}`);
  return result;
}

function crashAt(moment: string): void {
  if (crash !== undefined && moment.startsWith(crash)) process.kill(process.pid, "SIGKILL");
}
