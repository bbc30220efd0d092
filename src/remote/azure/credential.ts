/** With what requests to Azure are signed, from the environment alone. */
import { type AzureConnection, connectionOf } from "./connection.js";
import type { AzureLocation } from "./location.js";

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

/**
 * Whether a credential may be shown to the location's endpoint. Who is shown a signature or a token can use it, and a URL may
 * come from somebody else; a key signs and is never shown.
 */
export function mayBeShown(
  { kind }: AzureCredential,
  { endpoint }: AzureLocation,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (kind === "key" || kind === "none") return true;
  const { protocol, hostname } = new URL(endpoint);
  if (/^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)) return true;
  if (connectionOf(env)?.endpoint?.replace(/\/$/, "") === endpoint) return true;
  return protocol === "https:" && OF_AZURE.test(hostname);
}

/** Source: https://learn.microsoft.com/en-us/azure/storage/common/storage-account-overview#storage-account-endpoints */
const OF_AZURE = /\.blob\.(core\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)|storage\.azure\.net)$/;

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
