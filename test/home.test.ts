import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";

import { isDatasetError } from "../src/errors.js";
import { ensureDir, homeOf } from "../src/home.js";
import { GiB } from "../src/units.js";
import { tempDir } from "./support/temp.js";

test("without variables every folder lies where the XDG specification says", () => {
  assert.deepEqual(homeOf({}, "/home/ada"), {
    dataDir: "/home/ada/.local/share/varve",
    stateDir: "/home/ada/.local/state/varve",
    cacheDir: "/home/ada/.cache/varve",
    cacheBytes: 10 * GiB,
    copiesBytes: 100 * GiB,
    catalogPath: "/home/ada/.local/share/varve/catalog.db",
    draftsDir: "/home/ada/.local/share/varve/drafts",
    offlineDir: "/home/ada/.local/share/varve/offline",
    overlaysDir: "/home/ada/.local/state/varve/overlays",
    mountsDir: "/home/ada/.local/state/varve/mounts",
    logsDir: "/home/ada/.local/state/varve/logs",
    defaultRemote: "/home/ada/.local/share/varve/remote",
    keysDir: "/home/ada/.local/share/varve/keys",
    verifyKeys: [],
  });
});

test("XDG variables move the folders, and a relative or empty one is ignored as the specification asks", () => {
  const env = { XDG_DATA_HOME: "/data", XDG_STATE_HOME: "state", XDG_CACHE_HOME: "" };
  const { dataDir, stateDir, cacheDir } = homeOf(env, "/home/ada");
  assert.deepEqual(
    [dataDir, stateDir, cacheDir],
    ["/data/varve", "/home/ada/.local/state/varve", "/home/ada/.cache/varve"],
  );
});

test("VARVE_HOME holds everything and wins over XDG", () => {
  const home = homeOf({ VARVE_HOME: "/v", XDG_DATA_HOME: "/data", XDG_CACHE_HOME: "/cache" }, "/home/ada");
  const { cacheBytes, copiesBytes, verifyKeys, signingKey, ...places } = home;
  assert.deepEqual([verifyKeys, signingKey], [[], undefined]);
  assert.deepEqual([cacheBytes, copiesBytes], [10 * GiB, 100 * GiB]);
  assert.deepEqual(
    Object.values(places).filter((path) => path !== "/v" && !path.startsWith("/v/")),
    [],
  );
});

test("the variables for one place win over VARVE_HOME", () => {
  const env = {
    VARVE_HOME: "/v",
    VARVE_CATALOG: "postgres://db/varve",
    VARVE_REMOTE: "s3://bucket/prefix",
    VARVE_CACHE_DIR: "/scratch/varve",
    VARVE_CACHE_SIZE: "2GiB",
  };
  const { catalogPath, defaultRemote, cacheDir, cacheBytes, draftsDir } = homeOf(env);
  assert.deepEqual([catalogPath, defaultRemote], ["postgres://db/varve", "s3://bucket/prefix"]);
  assert.deepEqual([cacheDir, cacheBytes, draftsDir], ["/scratch/varve", 2 * GiB, "/v/drafts"]);
});

test("a relative path in a variable is made absolute, since a mount's process runs elsewhere", () => {
  const { dataDir, defaultRemote } = homeOf({ VARVE_HOME: "here", VARVE_REMOTE: "./there" });
  assert.deepEqual([dataDir, defaultRemote], [resolve("here"), resolve("there")]);
});

test("a cache size that is none is refused", () => {
  assert.throws(
    () => homeOf({ VARVE_CACHE_SIZE: "lots" }),
    (error) => isDatasetError(error, "bad-input") && error.data.value === "lots",
  );
});

test("ensureDir() makes a folder and those above it for the user alone, and is content with one that is there", async (t) => {
  const top = await tempDir(t);
  const path = join(top, "a", "b");
  assert.equal(ensureDir(path), path);
  assert.equal(ensureDir(path), path);
  const modes = [join(top, "a"), path].map((at) => statSync(at).mode & 0o777);
  assert.deepEqual(modes, [0o700, 0o700]);
});
