/** The S3 server for a test, and remotes on it. */
import { s3Remote } from "../../src/remote/s3/s3.js";
import type { S3Location } from "../../src/remote/s3/location.js";
import type { Remote } from "../../src/remote/remote.js";
import { type Scope, atEnd } from "./cleanup.js";
import { type ObjectServerProcess, objectServerProcess } from "./object-server/process.js";
import { type S3Server, type S3ServerOptions, startS3Server } from "./s3-server/server.js";
import type { Account } from "./s3-server/sigv4.js";

const MAIN = new URL("s3-server/main.js", import.meta.url).pathname;

/** A server that ends with the test. */
export async function s3Server(scope: Scope, options?: S3ServerOptions): Promise<S3Server> {
  const server = await startS3Server(options);
  atEnd(scope, () => server.close());
  return server;
}

export interface S3ServerProcess extends Omit<ObjectServerProcess<Account>, "said"> {
  endpoint: string;
  account: Account;
}

export async function s3ServerProcess(scope: Scope): Promise<S3ServerProcess> {
  const { said, ...controls } = await objectServerProcess<Account>(scope, MAIN);
  const { endpoint, ...account } = said;
  return { endpoint, account, ...controls };
}

type Reached = Pick<S3Server, "endpoint" | "account">;

/** The environment of a process that uses the server. */
export function s3Environment({ endpoint, account }: Reached): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: account.accessKeyId,
    AWS_SECRET_ACCESS_KEY: account.secretAccessKey,
    AWS_REGION: account.region,
    // Whatever the machine has set up for its user is no part of a test.
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Lets this process sign as the server's account, for the rest of its life: the SDK reads the environment. */
export function useAccount(server: Reached): void {
  const environment = s3Environment(server);
  for (const name of Object.keys(environment))
    if (name !== "AWS_ENDPOINT_URL") process.env[name] = environment[name];
}

/** The bare adapter on a bucket of the server. */
export function s3RemoteOn(
  scope: Scope,
  { endpoint, account }: Reached,
  changes: Partial<S3Location> = {},
  options?: { silenceMs: number },
): Remote {
  const location: S3Location = {
    bucket: "bucket",
    prefix: "",
    endpoint,
    region: account.region,
    pathStyle: true,
    checksums: true,
    anonymous: false,
    ...changes,
  };
  const remote = s3Remote(location, `s3://${location.bucket}/${location.prefix}`.replace(/\/$/, ""), options);
  atEnd(scope, () => remote.close());
  return remote;
}
