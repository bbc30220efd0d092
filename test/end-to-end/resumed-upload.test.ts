/** Uploads of many packs whose process is killed: the next run sends only the rest. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

import { Staging } from "../../src/dataset/staging.js";
import { KiB, MiB } from "../../src/units.js";
import { noise } from "../content/noise.js";
import { writeFolder } from "../dataset/support/folders.js";
import type { S3Server } from "../support/s3-server/server.js";
import { s3Environment, s3Server } from "../support/s3.js";
import { tempDir } from "../support/temp.js";
import { type Varve, varveUser } from "../support/varve.js";
import { until } from "./support/mounted.js";

const PACK_BYTES = 2 * MiB;
const PACKS = 12;
const FILE_BYTES = 64 * KiB;
/** Packs that arrive before the remote fails. */
const ARRIVED = 7;
const PACK_SIZE = ["--pack-size", "2MiB"];

interface Upload {
  server: S3Server;
  varve: Varve;
  folder: string;
}

/** A folder of small files that fill 12 packs, and a user of a bucket. */
async function upload(t: TestContext): Promise<Upload> {
  const server = await s3Server(t);
  const varve = await varveUser(t, { ...s3Environment(server), VARVE_REMOTE: "s3://bucket/x" });
  const folder = await tempDir(t);
  const bytes = noise("upload", PACKS * PACK_BYTES);
  const files = Array.from({ length: bytes.length / FILE_BYTES }, (_, index) => [
    `d${index % 7}/${index}`,
    bytes.subarray(index * FILE_BYTES, (index + 1) * FILE_BYTES),
  ]);
  writeFolder(folder, Object.fromEntries(files) as Record<string, Uint8Array>);
  return { server, varve, folder };
}

function packsIn({ store }: S3Server): number {
  return store
    .bucket("bucket")
    .keys()
    .filter((key) => key.startsWith("x/packs/")).length;
}

/** From now on the first packs arrive, and then none. */
function failAfterPacks({ faults }: S3Server): void {
  const fault = { kind: "reset", when: "before" } as const;
  faults.set([{ operations: ["PutObject"], key: "packs/", after: ARRIVED, fault }]);
}

test("varve upload: files of packs that arrived are not read or sent again", async (t) => {
  const { server, varve, folder } = await upload(t);
  const { id } = (await varve.ok(["create", "lab/data", "--json"])).json() as { id: string };
  await varve.ok(["add", folder]);
  failAfterPacks(server);
  const first = varve.start(["upload", ...PACK_SIZE]);
  const staging = Staging.open(join(varve.places.draftsDir, `${id}.db`));
  const left = (PACKS - ARRIVED) * PACK_BYTES;
  await until("the files of packs that arrived are settled", () => staging.counts().pendingBytes === left);
  staging.close();
  await first.kill();

  server.faults.set([]);
  server.counts.reset();
  const { files, contentBytesSent } = (await varve.ok(["upload", ...PACK_SIZE, "--json"])).json() as {
    files: number;
    contentBytesSent: number;
  };
  assert.deepEqual([files, contentBytesSent], [left / FILE_BYTES, left]);
  assert.equal(server.counts.byOperation["PutObject"]?.requests, PACKS - ARRIVED);
});

test("varve sync: packs that arrived are not sent again, and the label of what was cut off is free", async (t) => {
  const { server, varve, folder } = await upload(t);
  failAfterPacks(server);
  const first = varve.start(["sync", folder, "lab/data", ...PACK_SIZE]);
  await until("the packs have arrived", () => packsIn(server) === ARRIVED);
  await first.kill();

  server.faults.set([]);
  const { version, contentBytesSent } = (
    await varve.ok(["sync", folder, "lab/data", ...PACK_SIZE, "--json"])
  ).json() as { version: string; contentBytesSent: number };
  assert.deepEqual([version, contentBytesSent], ["1.0.0", (PACKS - ARRIVED) * PACK_BYTES]);
  const versions = (await varve.ok(["versions", "lab/data", "--json"])).json() as { version: string }[];
  assert.deepEqual(
    versions.map((one) => one.version),
    ["1.0.0"],
  );
});
