/**
 * Secrets are planted wherever varve takes them, and then looked for in all that a set of runs leaves and says, those that
 * fail among them: output, logs, state, catalogs, and what lies in the bucket.
 */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { writeFolder } from "../dataset/support/folders.js";
import { MOUNTED } from "../end-to-end/support/mounted.js";
import { atEnd } from "../support/cleanup.js";
import { POSTGRES_PASSWORD, postgresServer } from "../support/postgres.js";
import { processesWith } from "../support/processes.js";
import { s3Environment, s3RemoteOn, s3ServerProcess, useAccount } from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";

/** Long enough that none occurs by chance, and told apart. */
const planted = (what: string) => `planted${what}9f2c4be1a7d35086`;
const AZURE_KEY = Buffer.from(planted("AzureKey").padEnd(64, "0")).toString("base64");

/** All that was said and left by one user. */
class Traces {
  readonly #said: string[] = [];

  constructor(readonly varve: Varve) {}

  /** Runs a command, which may fail, and keeps what it says. */
  async run(args: readonly string[], env: Record<string, string> = {}): Promise<number | null> {
    const { code, stdout, stderr } = await this.varve(args, { env: { VARVE_LOG_LEVEL: "debug", ...env } });
    this.#said.push(stdout, stderr);
    return code;
  }

  /** Also what the processes of mounts were started with, which everybody on the machine may read. */
  keepCommandLines(): void {
    for (const pid of processesWith("VARVE_HOME", this.varve.home))
      this.#said.push(readFileSync(`/proc/${pid}/cmdline`, "latin1"));
  }

  /** Where a secret stands, as it is, URL-encoded or in base64. */
  findings(secrets: readonly string[], more: ReadonlyMap<string, Uint8Array> = new Map()): string[] {
    const files = readdirSync(this.varve.home, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    const places: [string, Buffer][] = [
      ["what was said", Buffer.from(this.#said.join("\n"))],
      ...files.map(({ parentPath, name }): [string, Buffer] => [
        join(parentPath, name),
        readFileSync(join(parentPath, name)),
      ]),
      ...[...more].map(([key, bytes]): [string, Buffer] => [key, Buffer.from(bytes)]),
    ];
    return places.flatMap(([place, bytes]) =>
      secrets.flatMap((secret) =>
        formsOf(secret).some((form) => bytes.includes(form)) ? [`${secret} in ${place}`] : [],
      ),
    );
  }
}

function formsOf(secret: string): string[] {
  // The middle of base64, whatever stands before it, is one of three.
  const encoded = [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + secret)
      .toString("base64")
      .slice(4, -4),
  );
  return [secret, encodeURIComponent(secret), ...encoded];
}

async function tracesOf(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<Traces & { source: string }> {
  const source = await tempDir(t);
  writeFolder(source, { "a.txt": "a", "b/c.txt": "c" });
  return Object.assign(new Traces(await varveUser(t, env)), { source });
}

/** A store that lets nobody in, and repeats what it was sent, as some do in their error pages. */
async function refusing(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(403, { "content-type": "application/xml" });
    const told = `${request.url ?? ""} ${JSON.stringify(request.headers)}`.replaceAll(/[<&]/g, " ");
    response.end(
      `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no: ${told}</Message></Error>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("keys of S3 are nowhere in what is said and left, nor in the bucket", MOUNTED, async (t) => {
  const server = await s3ServerProcess(t);
  const session = planted("Session");
  const env = { ...s3Environment(server), AWS_SESSION_TOKEN: session };
  const traces = await tracesOf(t, env);
  const { source } = traces;
  const at = await tempDir(t);
  assert.equal(await traces.run(["sync", source, "lab/data", "--remote", "s3://bucket/p"]), 0);
  assert.equal(await traces.run(["mount", "-w", "lab/data", at]), 0);
  traces.keepCommandLines();
  writeFileSync(join(at, "new"), "new");
  assert.equal(await traces.run(["unmount", at]), 0);
  assert.equal(await traces.run(["job", "list", "--json"]), 0);
  const wrong = { AWS_SECRET_ACCESS_KEY: planted("Secret"), AWS_ACCESS_KEY_ID: planted("KeyId") };
  const denied = await refusing(t);
  const commands = {
    cat: ["cat", "lab/data", "a.txt"],
    sync: ["sync", source, "lab/other", "--remote", "s3://bucket/q"],
    mount: ["mount", "s3://bucket/p#lab/data", at],
  };
  for (const [other, asked] of [
    [wrong, [commands.cat]],
    [{ ...wrong, AWS_ENDPOINT_URL: denied }, Object.values(commands)],
    [{ ...wrong, AWS_ENDPOINT_URL: "http://127.0.0.1:1", VARVE_OFFLINE: "" }, [["doctor"]]],
  ] as const) {
    const empty = { ...other, VARVE_CACHE_DIR: await tempDir(t) };
    for (const args of asked) await traces.run([...args, "--json"], empty);
  }
  useAccount(server);
  const objects = new Map<string, Uint8Array>();
  const remote = s3RemoteOn(t, server);
  for await (const { key } of remote.list("")) objects.set(key, await remote.readWhole(key));
  assert.ok(objects.size > 5);
  const { accessKeyId, secretAccessKey } = server.account;
  const secrets = [accessKeyId, secretAccessKey, session, ...Object.values(wrong)];
  assert.deepEqual(traces.findings(secrets, objects), []);
});

test("keys and signatures of Azure, and credentials of Google, are nowhere in what is said and left", async (t) => {
  const denied = await refusing(t);
  const traces = await tracesOf(t);
  const credentials = join(await tempDir(t), "credentials.json");
  const key = planted("GoogleKey");
  writeFileSync(
    credentials,
    JSON.stringify({
      type: "service_account",
      client_email: "a@b.c",
      private_key_id: "1",
      private_key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
      project_id: "p",
    }),
  );
  const sas = planted("Sas");
  const google = { GOOGLE_APPLICATION_CREDENTIALS: credentials, METADATA_SERVER_DETECTION: "none" };
  const azure = `azure://account.blob.core.windows.net/box?endpoint=${denied}`;
  const connection = `AccountName=account;AccountKey=${AZURE_KEY};BlobEndpoint=${denied}`;
  for (const [url, env] of [
    [azure, { AZURE_STORAGE_KEY: AZURE_KEY }],
    [azure, { AZURE_STORAGE_SAS_TOKEN: `?sv=2024-01-01&sig=${sas}` }],
    ["azure://account.blob.core.windows.net/box", { AZURE_STORAGE_CONNECTION_STRING: connection }],
    [`gs://bucket?endpoint=${denied}`, google],
  ] as const)
    for (const args of [
      ["sync", traces.source, "lab/data", "--remote", url],
      ["ls", `${url}#lab/data`],
    ])
      assert.notEqual(await traces.run([...args, "--json"], env), 0);
  assert.deepEqual(traces.findings([AZURE_KEY, sas, key]), []);
});

test("passwords of catalogs are nowhere in what is said and left, right or wrong", async (t) => {
  const server = await postgresServer();
  const url = await server.newCatalogWithTables(t);
  const wrong = planted("Password");
  const withPassword = (password: string) => Object.assign(new URL(url), { password }).href;
  const traces = await tracesOf(t, { VARVE_CATALOG: url });
  assert.equal(await traces.run(["sync", traces.source, "lab/data"]), 0);
  assert.equal(await traces.run(["list", "--json"]), 0);
  const unreachable = Object.assign(new URL(withPassword(wrong)), { port: "1" }).href;
  for (const place of [
    withPassword(wrong),
    unreachable,
    `postgres://u:${wrong}@127.0.0.1:1/a b%`,
    `mysql://u:${wrong}@h/d`,
  ])
    for (const args of [["list"], ["mount", "lab/data", traces.source]])
      await traces.run([...args, "--json"], { VARVE_CATALOG: place });
  assert.deepEqual(traces.findings([wrong, POSTGRES_PASSWORD]), []);
});

test("a secret on the command line is refused or left out of what is kept, and repeated by nobody", async (t) => {
  const traces = await tracesOf(t);
  const secret = planted("Userinfo");
  for (const args of [
    ["remote", "add", "lab", `s3://user:${secret}@bucket/p`],
    ["remote", "add", "lab", `s3://bucket/p?endpoint=https://user:${secret}@host`],
    ["add", "--link", `https://user:${secret}@host/file`],
    ["add", "--link", `https://host/file?X-Amz-Signature=${secret}`],
    ["list", "--catalog", `postgres://user:${secret}@127.0.0.1:1/db`],
    ["catalog", "copy", "catalog.db", `postgres://user:${secret}@127.0.0.1:1/db`],
  ])
    assert.notEqual(await traces.run([...args, "--json"]), 0, args.join(" "));
  assert.deepEqual(traces.findings([secret]), []);
});

test("the passphrase of a signing key is nowhere in what is said and left, nor is the key outside its file", async (t) => {
  const passphrase = planted("Passphrase");
  const traces = await tracesOf(t, { VARVE_SIGNING_PASSPHRASE: passphrase, VARVE_SIGNING_KEY: "mine" });
  assert.equal(await traces.run(["key", "create", "mine"]), 0);
  assert.equal(await traces.run(["sync", traces.source, "lab/data"]), 0);
  const wrong = planted("Wrong");
  writeFolder(traces.source, { more: "more" });
  assert.equal(
    await traces.run(["sync", traces.source, "lab/data", "--json"], { VARVE_SIGNING_PASSPHRASE: wrong }),
    2,
  );
  const keyFile = join(traces.varve.home, "keys/mine.key");
  const secretHalf = readFileSync(keyFile, "utf8").split("\n")[1]!;
  const found = traces.findings([passphrase, wrong, secretHalf]);
  assert.deepEqual(found, [`${secretHalf} in ${keyFile}`]);
});
