/** The S3 server of the tests in a process of its own, as far away as is told, and folders put into its buckets. */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

import { S3 } from "@aws-sdk/client-s3";
import pLimit from "p-limit";

import type { Scope } from "../../test/support/cleanup.js";
import { type S3ServerProcess, s3Environment, s3ServerProcess } from "../../test/support/s3.js";
import { sum } from "../support/figures.js";

/** What the server saw of one run. */
export interface Traffic {
  requests: number;
  /** Of the answers' bodies. */
  bytes: number;
}

export interface Bucket {
  server: S3ServerProcess;
  /** For programs that use it. */
  environment: Record<string, string>;
  /** Adds so much to every request from now on. */
  setLatency(ms: number): Promise<void>;
  /** Counts from zero. */
  reset(): Promise<void>;
  traffic(): Promise<Traffic>;
}

const PUTS_AT_ONCE = 16;
/** The SDK's advice about versions of Node is not for who reads figures. */
const NO_ADVICE = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };

export async function startBucket(scope: Scope): Promise<Bucket> {
  Object.assign(process.env, NO_ADVICE);
  const server = await s3ServerProcess(scope);
  return {
    server,
    environment: { ...s3Environment(server), ...NO_ADVICE },
    setLatency: (ms) => server.setFaults(ms > 0 ? [{ fault: { kind: "latency", ms } }] : []),
    reset: () => server.reset(),
    async traffic() {
      const counts = Object.values(await server.counts());
      const requests = sum(counts.map((count) => count.requests));
      return { requests, bytes: sum(counts.map(({ sentBytes }) => sentBytes)) };
    },
  };
}

/** Makes a bucket with an object for every file of a folder. */
export async function putFolder({ server }: Bucket, bucket: string, folder: string): Promise<void> {
  const { endpoint, account } = server;
  const { accessKeyId, secretAccessKey, region } = account;
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3({ endpoint, region, credentials, forcePathStyle: true });
  await s3.createBucket({ Bucket: bucket });
  const limit = pLimit(PUTS_AT_ONCE);
  const putOne = (path: string) =>
    s3.putObject({ Bucket: bucket, Key: relative(folder, path), Body: readFileSync(path) });
  await Promise.all(filesBelow(folder).map((path) => limit(putOne, path)));
  s3.destroy();
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
