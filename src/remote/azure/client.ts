/** The SDK's client for one container. The SDK is loaded here, when the first request is made, and nowhere else. */
import type { ContainerClient, StoragePipelineOptions } from "@azure/storage-blob";

import { DatasetError } from "../../errors.js";
import { type AzureCredential, credentialFor, mayBeShown } from "./credential.js";
import type { AzureLocation } from "./location.js";

const OPTIONS: StoragePipelineOptions = {
  retryOptions: { maxTries: 1 }, // `with-retry.ts` is patient enough.
  keepAliveOptions: { enable: true },
};

/** Costs about 250 ms for loading the SDK, and as much again for identities. */
export async function makeAzureClient(location: AzureLocation): Promise<ContainerClient> {
  const credential = credentialFor(location);
  if (!mayBeShown(credential, location)) throw elsewhere(location);
  const sdk = await import("@azure/storage-blob");
  const { account, endpoint, container } = location;
  const url = `${endpoint}/${container}`;
  if (credential.kind === "signature")
    return new sdk.ContainerClient(`${url}?${credential.sas}`, undefined, OPTIONS);
  return new sdk.ContainerClient(url, await signerFor(credential), OPTIONS);

  async function signerFor(used: Exclude<AzureCredential, { kind: "signature" }>) {
    if (used.kind === "none") return new sdk.AnonymousCredential();
    if (used.kind === "key") return new sdk.StorageSharedKeyCredential(account, used.key);
    const { DefaultAzureCredential } = await import("@azure/identity");
    return new DefaultAzureCredential();
  }
}

function elsewhere({ endpoint }: AzureLocation): DatasetError<"remote-refused"> {
  const message = `Cannot use the endpoint ${endpoint}: a shared access signature or a token is shown to Azure and to this machine only; set AZURE_STORAGE_KEY, or a connection string with this BlobEndpoint`;
  return new DatasetError("remote-refused", { key: "" }, message);
}
