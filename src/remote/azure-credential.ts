/** With what requests to Azure are signed, from the environment alone. */
import { type AzureConnection, connectionOf } from "./azure-connection.js";
import type { AzureLocation } from "./azure-location.js";

export type AzureCredential =
  /** The account's key. */
  | { kind: "key"; key: string }
  /** A shared access signature, without its question mark. */
  | { kind: "signature"; sas: string }
  /** Whatever identity this machine or its user has. */
  | { kind: "identity" }
  | { kind: "none" };

/** The first there is, in the order of Azure's own command line: connection string, key, signature, identity. */
export function credentialFor(
  { account, anonymous }: AzureLocation,
  env: NodeJS.ProcessEnv = process.env,
): AzureCredential {
  if (anonymous) return { kind: "none" };
  const connection = connectionOf(env);
  // One of another account is not for this remote.
  const found = connection?.account === undefined || connection.account === account ? connection : undefined;
  return credentialIn(found) ?? credentialIn(variablesOf(env)) ?? { kind: "identity" };
}

type Secrets = Pick<AzureConnection, "key" | "sas">;

function credentialIn(secrets: Secrets | undefined): AzureCredential | undefined {
  if (secrets?.key) return { kind: "key", key: secrets.key };
  if (secrets?.sas) return { kind: "signature", sas: secrets.sas };
  return undefined;
}

function variablesOf(env: NodeJS.ProcessEnv): Secrets {
  return {
    key: env["AZURE_STORAGE_KEY"],
    sas: env["AZURE_STORAGE_SAS_TOKEN"]?.replace(/^\?/, ""),
  };
}
