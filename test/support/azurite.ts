/**
 * Azurite, Microsoft's server of Azure's storage for tests, behind a proxy that lets requests go wrong by rule; and
 * remotes on it. Each server has an account of its own, whose key no log may show.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { createRequire } from "node:module";

import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";

import { type AzureOptions, azureRemote } from "../../src/remote/azure/azure.js";
import type { AzureLocation } from "../../src/remote/azure/location.js";
import type { Remote } from "../../src/remote/remote.js";
import { startAzureProxy } from "./azure-proxy.js";
import { type Scope, atEnd } from "./cleanup.js";
import type { ObjectServer } from "./object-server/server.js";
import { startNode } from "./processes.js";
import { tempDir } from "./temp.js";

const MAIN = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");

export interface Azurite {
  /** Of the account's blob service, past the proxy. */
  endpoint: string;
  account: string;
  key: string;
}

/** Ends with the test. Costs a second or two: tests of one file share one, each with a container of its own. */
export async function startAzurite(scope: Scope): Promise<Azurite> {
  const account = "varvetest";
  const key = randomBytes(32).toString("base64");
  const folder = await tempDir(scope);
  const env = { ...process.env, AZURITE_ACCOUNTS: `${account}:${key}` };
  const quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"];
  const place = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"];
  const started = startNode(scope, MAIN, [...place, ...quiet], { env, cwd: folder });
  const [, address] = await started.saying(/successfully listens on (http:\S+)/);
  return { endpoint: `${address!}/${account}`, account, key };
}

/** A container of a test, reached through a proxy of its own. */
export interface AzureContainer extends Azurite, Pick<ObjectServer, "faults" | "counts"> {
  container: string;
  /** To it past the proxy and the adapter. */
  direct: ContainerClient;
  /** Ends the proxy, as if the store were gone. */
  close: () => Promise<void>;
}

export async function azureContainer(scope: Scope, azurite: Azurite): Promise<AzureContainer> {
  const container = `test-${randomUUID()}`;
  const signer = new StorageSharedKeyCredential(azurite.account, azurite.key);
  const direct = new ContainerClient(`${azurite.endpoint}/${container}`, signer);
  await direct.create();
  const proxy = await startAzureProxy(azurite.endpoint);
  atEnd(scope, () => proxy.close());
  return { ...azurite, ...proxy, container, direct };
}

/** The environment of a process that uses the account; nothing the machine has set up for its user is part of a test. */
export function azureEnvironment({ key }: Pick<Azurite, "key">): Record<string, string> {
  return {
    AZURE_STORAGE_KEY: key,
    AZURE_STORAGE_SAS_TOKEN: "",
    AZURE_STORAGE_CONNECTION_STRING: "",
    AZURE_TOKEN_CREDENTIALS: "EnvironmentCredential",
  };
}

/** Lets this process sign as the account, for the rest of its life. */
export function useAzureAccount(azurite: Azurite): void {
  Object.assign(process.env, azureEnvironment(azurite));
}

/** The bare adapter on a container. */
export function azureRemoteOn(
  scope: Scope,
  { account, container, endpoint }: AzureContainer,
  changes: Partial<AzureLocation> = {},
  options?: AzureOptions,
): Remote {
  const location = { account, container, endpoint, prefix: "", anonymous: false, ...changes };
  const url = `azure://${account}/${location.container}/${location.prefix}`.replace(/\/$/, "");
  const remote = azureRemote(location, url, options);
  atEnd(scope, () => remote.close());
  return remote;
}
