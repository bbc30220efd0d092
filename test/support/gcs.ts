/** The GCS server for a test, credentials for it, and remotes on it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { gcsRemote } from "../../src/remote/gcs/gcs.js";
import type { GcsLocation } from "../../src/remote/gcs/location.js";
import type { Remote } from "../../src/remote/remote.js";
import { type Scope, atEnd } from "./cleanup.js";
import { type GcsServer, type GcsServerOptions, startGcsServer } from "./gcs-server/server.js";
import { type ObjectServerProcess, objectServerProcess } from "./object-server/process.js";
import { tempDir } from "./temp.js";

const MAIN = new URL("gcs-server/main.js", import.meta.url).pathname;

/** A server that ends with the test. */
export async function gcsServer(scope: Scope, options?: GcsServerOptions): Promise<GcsServer> {
  const server = await startGcsServer(options);
  atEnd(scope, () => server.close());
  return server;
}

type Reached = Pick<GcsServer, "endpoint" | "subjectToken">;

export type GcsServerProcess = Reached & Omit<ObjectServerProcess<unknown>, "said">;

/** With the buckets `bucket` and, for all, `open`. */
export async function gcsServerProcess(scope: Scope): Promise<GcsServerProcess> {
  const { said, ...controls } = await objectServerProcess<{ subjectToken: string }>(scope, MAIN);
  return { ...said, ...controls };
}

/** The environment of a process that uses the server, with credentials in a file as Google's tools have them. */
export async function gcsEnvironment(scope: Scope, server: Reached): Promise<Record<string, string>> {
  const folder = await tempDir(scope);
  const subject = join(folder, "subject");
  await writeFile(subject, server.subjectToken);
  const credentials = {
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${server.endpoint}/token`,
    credential_source: { file: subject },
  };
  const file = join(folder, "credentials.json");
  await writeFile(file, JSON.stringify(credentials));
  // The metadata server is no part of a test, nor is what the machine has set up for its user.
  return { GOOGLE_APPLICATION_CREDENTIALS: file, METADATA_SERVER_DETECTION: "none", CLOUDSDK_CONFIG: folder };
}

/** Lets this process use the server, for the rest of its life: the SDK reads the environment. */
export async function useCredentials(scope: Scope, server: Reached): Promise<void> {
  Object.assign(process.env, await gcsEnvironment(scope, server));
}

/** The bare adapter on a bucket of the server. */
export function gcsRemoteOn(
  scope: Scope,
  { endpoint }: Pick<GcsServer, "endpoint">,
  changes: Partial<GcsLocation> = {},
  options?: { silenceMs: number },
): Remote {
  const location = { bucket: "bucket", prefix: "", endpoint, anonymous: false, ...changes };
  const url = `gs://${location.bucket}/${location.prefix}`.replace(/\/$/, "");
  const remote = gcsRemote(location, url, options);
  atEnd(scope, () => remote.close());
  return remote;
}
