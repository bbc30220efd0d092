/** Requests to Azure Blob Storage. */
import type { ContainerClient } from "@azure/storage-blob";

import { makeAzureClient } from "./client.js";
import { explainAzure } from "./failure.js";
import type { AzureLocation } from "./location.js";
import { type Requests, requestsTo } from "../requests.js";

export interface AzureRequests extends Requests<ContainerClient> {
  readonly location: AzureLocation;
}

/** @param silenceMs Longest wait for anything of an answer. Default 15 s. */
export function azureRequests(location: AzureLocation, url: string, silenceMs?: number): AzureRequests {
  const requests = requestsTo({
    url,
    silenceMs,
    open: () => makeAzureClient(location),
    // The SDK's connections are those of the process; idle ones keep none alive.
    close: () => undefined,
    explain: (error, attempted) => explainAzure(error, { ...attempted, location }),
  });
  return { ...requests, location };
}
