import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import {
  createKey,
  distrustKey,
  ownKeys,
  publicKeysOf,
  requiredKeys,
  signingKey,
  trustKey,
} from "../../../src/dataset/signing/key-files.js";
import { isSignedBy, parsePublicKey, parsePublicKeys, textOfKey } from "../../../src/dataset/signing/keys.js";
import { isDatasetError } from "../../../src/errors.js";
import { homeOf } from "../../../src/home.js";
import { type Scope } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";

async function homeIn(scope: Scope) {
  return homeOf({ VARVE_HOME: await tempDir(scope), VARVE_SIGNING_KEY: "mine" });
}

const isBadInput = (error: unknown) => isDatasetError(error, "bad-input");

test("a key of one's own signs, its file is one's own alone, and no second has its name", async (t) => {
  const home = await homeIn(t);
  const made = createKey(home, "mine");
  const { publicKey, sign } = signingKey(home)!;
  assert.deepEqual([publicKey, ownKeys(home)], [made, [made]]);
  assert.equal(statSync(join(home.keysDir, "mine.key")).mode & 0o777, 0o600);
  assert.equal(statSync(home.keysDir).mode & 0o777, 0o700);
  const bytes = Buffer.from("what is signed");
  assert.equal(isSignedBy(made, bytes, sign(bytes)), true);
  assert.equal(isSignedBy(made, Buffer.from("something else"), sign(bytes)), false);
  assert.throws(
    () => createKey(home, "mine"),
    (error) => isDatasetError(error, "conflict"),
  );
  for (const name of ["../up", "a/b", ".hidden", "x".repeat(65)])
    assert.throws(() => createKey(home, name), isBadInput, name);
});

test("a secret key that others may read, is none, is of another kind, or is not there, signs nothing", async (t) => {
  const home = await homeIn(t);
  createKey(home, "mine");
  const path = join(home.keysDir, "mine.key");
  chmodSync(path, 0o640);
  assert.throws(() => signingKey(home), /others may read it \(mode 640\)/);
  chmodSync(path, 0o600);
  writeFileSync(path, "no key");
  assert.throws(() => signingKey(home), isBadInput);
  writeFileSync(
    path,
    execFileSync("openssl", ["genpkey", "-algorithm", "x25519"], { stdio: ["ignore", "pipe", "ignore"] }),
  );
  assert.throws(() => signingKey(home), /another kind/);
  assert.throws(() => signingKey({ ...home, signingKey: "nobody" }), isBadInput);
  assert.equal(signingKey(homeOf({ VARVE_HOME: home.dataDir })), undefined);
});

test("with a passphrase the secret key lies encrypted, and another passphrase does not open it", async (t) => {
  const home = await homeIn(t);
  process.env["VARVE_SIGNING_PASSPHRASE"] = "correct horse";
  t.after(() => {
    delete process.env["VARVE_SIGNING_PASSPHRASE"];
  });
  const made = createKey(home, "mine");
  assert.match(readFileSync(join(home.keysDir, "mine.key"), "utf8"), /BEGIN ENCRYPTED PRIVATE KEY/);
  assert.deepEqual(signingKey(home)!.publicKey, made);
  process.env["VARVE_SIGNING_PASSPHRASE"] = "battery staple";
  assert.throws(
    () => signingKey(home),
    (error) => isBadInput(error) && !String(error).includes("battery"),
  );
  delete process.env["VARVE_SIGNING_PASSPHRASE"];
  assert.throws(() => signingKey(home), isBadInput);
});

test("a public key is one line of text, and what is none is not taken for one", async (t) => {
  const home = await homeIn(t);
  const made = createKey(home, "mine");
  const line = textOfKey(made);
  assert.match(line, /^varve-ed25519 [A-Za-z0-9+/]{43}= mine$/);
  assert.deepEqual(parsePublicKey(line), made);
  assert.deepEqual(parsePublicKeys(`# whose\n\n${line} # of 2026\n`), [made]);
  for (const text of [
    "varve-ed25519",
    `varve-ed25519 ${made.base64.slice(4)}`,
    `ssh-ed25519 ${made.base64}`,
    "ä",
  ])
    assert.equal(parsePublicKey(text), undefined, text);
  assert.equal(parsePublicKeys("# nothing\n"), undefined);
  assert.equal(parsePublicKeys(`${line}\nno key`), undefined);
});

test("keys are given as text, as names of one's own, and in files", async (t) => {
  const home = await homeIn(t);
  const made = createKey(home, "mine");
  const file = join(home.dataDir, "team.pub");
  writeFileSync(file, `${textOfKey(made)}\n`);
  for (const text of [textOfKey(made), "mine", file])
    assert.deepEqual(publicKeysOf(home, text), [made], text);
  for (const text of ["nobody", join(home.dataDir, "nothing"), home.keysDir, join(home.keysDir, "mine.key")])
    assert.throws(() => publicKeysOf(home, text), isBadInput, text);
});

test("a key is trusted for some datasets; others need no signature, and nobody is trusted by a file that is damaged", async (t) => {
  const home = await homeIn(t);
  const mine = createKey(home, "mine");
  const vision = { project: "vision", name: "cifar10" };
  const audio = { project: "audio/speech", name: "numbers" };
  assert.equal(requiredKeys(home, vision), undefined);
  trustKey(home, mine, ["vision/*"]);
  assert.deepEqual([requiredKeys(home, vision), requiredKeys(home, audio)], [[mine], undefined]);
  trustKey(home, mine, []);
  assert.deepEqual(requiredKeys(home, audio), [mine]);
  const other = createKey(home, "other");
  const asked = { ...home, verifyKeys: ["other"] };
  assert.deepEqual(requiredKeys(asked, vision), [other]);
  writeFileSync(join(home.keysDir, "trusted.json"), '{"format":1,"keys":[{"key":"x","datasets":[]}]}');
  assert.throws(
    () => requiredKeys(home, vision),
    (error) => isDatasetError(error, "format-damaged"),
  );
  mkdirSync(join(home.dataDir, "more"));
  const another = homeOf({ VARVE_HOME: join(home.dataDir, "more") });
  trustKey(another, mine, []);
  assert.deepEqual([distrustKey(another, mine), distrustKey(another, mine)], [true, false]);
  assert.equal(requiredKeys(another, vision), undefined);
});

test("keys of the environment that are paths are the same wherever a process runs", () => {
  const { signingKey: signs, verifyKeys } = homeOf({
    VARVE_HOME: "/v",
    VARVE_SIGNING_KEY: "./secret.key",
    VARVE_VERIFY_KEY: "team, ./team.pub,varve-ed25519 AA/A=",
  });
  assert.equal(signs, join(process.cwd(), "secret.key"));
  assert.deepEqual(verifyKeys, ["team", join(process.cwd(), "team.pub"), "varve-ed25519 AA/A="]);
});
