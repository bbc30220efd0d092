import assert from "node:assert/strict";
import { test } from "node:test";

import { credentialFor } from "../../../src/remote/azure/credential.js";
import { parseAzureUrl } from "../../../src/remote/azure/location.js";
import { normalizeRemoteUrl } from "../../../src/remote/open.js";
import { failure } from "../suite.js";

const HOST = "lab.blob.core.windows.net";
const parse = (url: string, env: NodeJS.ProcessEnv = {}) => parseAzureUrl(new URL(url), env);

const LOCATION = {
  account: "lab",
  container: "data",
  prefix: "",
  endpoint: `https://${HOST}`,
  anonymous: false,
};

test("a URL names account, container and prefix, and where the account's service is", () => {
  assert.deepEqual(parse(`azure://${HOST}/data`), LOCATION);
  assert.deepEqual(parse(`azure://${HOST}/data/a%20b/c/`), { ...LOCATION, prefix: "a b/c/" });
  const endpoint = "http://127.0.0.1:10000/lab";
  const elsewhere = parse(`azure://${HOST}/data?endpoint=${endpoint}/&anonymous=1`);
  assert.deepEqual(elsewhere, { ...LOCATION, endpoint, anonymous: true });
});

test("a connection string says where the service of its own account is, and of no other", () => {
  const endpoint = "http://127.0.0.1:10000/lab";
  const stringOf = (account: string) => ({
    AZURE_STORAGE_CONNECTION_STRING: `AccountName=${account};AccountKey=a2V5==;BlobEndpoint=${endpoint};`,
  });
  assert.deepEqual(parse(`azure://${HOST}/data`, stringOf("lab")), { ...LOCATION, endpoint });
  assert.deepEqual(parse(`azure://${HOST}/data`, stringOf("other")), LOCATION);
  const chosen = parse(`azure://${HOST}/data?endpoint=https://mine`, stringOf("lab"));
  assert.equal(chosen.endpoint, "https://mine");
  assert.deepEqual(credentialFor(LOCATION, stringOf("lab")), { kind: "key", key: "a2V5==" });
  assert.deepEqual(credentialFor(LOCATION, stringOf("other")), { kind: "identity" });
});

test("of several credentials the connection string's wins, then the key, the signature, the identity", () => {
  const env: NodeJS.ProcessEnv = {
    AZURE_STORAGE_CONNECTION_STRING: "SharedAccessSignature=?sv=1&sig=a=",
    AZURE_STORAGE_KEY: "key",
    AZURE_STORAGE_SAS_TOKEN: "?sv=2",
  };
  const kinds = ["AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"].map(
    (name) => {
      const found = credentialFor(LOCATION, env);
      env[name] = "";
      return found;
    },
  );
  assert.deepEqual(kinds, [
    { kind: "signature", sas: "sv=1&sig=a=" },
    { kind: "key", key: "key" },
    { kind: "signature", sas: "sv=2" },
  ]);
  assert.deepEqual(credentialFor(LOCATION, env), { kind: "identity" });
  assert.deepEqual(credentialFor({ ...LOCATION, anonymous: true }, { AZURE_STORAGE_KEY: "key" }), {
    kind: "none",
  });
});

test("all URLs that say the same have one form, and the environment is no part of it", () => {
  const form = `azure://${HOST}/data/a%20b?endpoint=http%3A%2F%2Fhost%3A1%2Flab`;
  for (const url of [
    form,
    `azure://LAB.blob.core.windows.net/data/a b/?endpoint=http://host:1/lab/`,
    `azure://${HOST}/x/../data/a%20b//?endpoint=http://HOST:1/lab`,
  ])
    assert.equal(normalizeRemoteUrl(url), form, url);
  assert.equal(normalizeRemoteUrl(`azure://${HOST}/data/`), `azure://${HOST}/data`);
});

test("what could be a secret is refused in a URL, and not repeated", () => {
  for (const url of [
    `azure://${HOST}/data?sv=2024&sig=hush`,
    `azure://${HOST}/data?sig=hush`,
    `azure://${HOST}/data?accountKey=hush`,
    `azure://lab:hush@${HOST}/data`,
    `azure://${HOST}/data?endpoint=http://lab:hush@host`,
    `azure://${HOST}/data?endpoint=http://host/?sig=hush`,
    `azure://${HOST}/data#hush`,
  ])
    assert.throws(
      () => normalizeRemoteUrl(url),
      (error: Error) => {
        assert.ok(failure("bad-input")(error));
        assert.doesNotMatch(JSON.stringify([error.message, error]), /hush/, url);
        return true;
      },
    );
});

test("a URL that names no account, no container, no prefix that can be one, or an odd setting is refused", () => {
  for (const url of [
    "azure://",
    "azure://lab/data",
    "azure:///data",
    `azure://${HOST}`,
    `azure://${HOST}/`,
    `azure://${HOST}:90/data`,
    `azure://${HOST}/Data`,
    `azure://${HOST}/d--a`,
    `azure://${HOST}/data/a//b`,
    `azure://${HOST}/data/%ff`,
    `azure://${HOST}/data?anonymous=yes`,
    `azure://${HOST}/data?endpoint=ftp://host`,
  ])
    assert.throws(() => normalizeRemoteUrl(url), failure("bad-input"), url);
});
