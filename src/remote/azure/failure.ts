/**
 * What a failed request to Azure means. The SDK's errors carry the whole exchange, signatures included, so none of them is
 * passed on: a failure of ours has words and the store's code.
 * Source: https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes
 */
import { DatasetError, isDatasetError, messageOf } from "../../errors.js";
import { credentialFor } from "./credential.js";
import type { AzureLocation } from "./location.js";
import type { Attempted } from "../requests.js";

export interface AzureAttempt extends Attempted {
  location: AzureLocation;
}

/** The facts in an error of the SDK, whatever class it has. */
export interface AzureFault {
  /** Azure's code (`BlobNotFound`), that of a system call (`ECONNRESET`), or the error's name. */
  code: string;
  status: number | undefined;
  message: string;
  /** By how much the clocks of store and machine differ, ms; 0 where the store did not say. */
  clockDifferenceMs: number;
}

/** Codes that another attempt may mend, whatever their status: the body changed on its way, or blocks were let go of. */
const MAY_HEAL = new Set(["Md5Mismatch", "InvalidBlockList", "OperationTimedOut", "ServerBusy"]);
/** Codes that no other attempt mends, though their status means something else for a blob. */
const REFUSED = new Set([
  "AccountIsDisabled",
  "ContainerBeingDeleted",
  "ContainerDisabled",
  "ContainerNotFound",
  "InvalidBlobType",
  "LeaseIdMissing",
  "PublicAccessNotPermitted",
]);
/** Of the SDK itself, before anything was sent. */
const NO_IDENTITY = /^(CredentialUnavailable|AggregateAuthentication|AuthenticationRequired)Error$/;
const NO_TLS = /Bearer token authentication is not permitted/;
/** Source: https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key */
const CLOCK_TOLERANCE_MS = 15 * 60_000;

/** The failure to report for `error`; one that is a failure of ours already stays as it is. */
export function explainAzure(error: unknown, attempted: AzureAttempt): DatasetError {
  if (isDatasetError(error)) return error;
  const fault = faultOf(error);
  const { attempt, key, url } = attempted;
  const shown = fault.status === undefined ? fault.code : `${fault.code}, HTTP ${fault.status}`;
  const what = key === "" ? url : `"${key}" in ${url}`;
  const cause = new Error(`${shown}: ${fault.message}`);
  const fail = (code: Meaning, reason: string) =>
    new DatasetError(code, { key }, `Cannot ${attempt} ${what}: ${reason}`, { cause });
  const meaning = meaningOf(fault);
  if (meaning === "object-missing") return fail(meaning, "no such object");
  if (meaning === "object-exists") return fail(meaning, "it exists already");
  if (meaning === "remote-refused") return fail(meaning, `${adviceOn(fault, attempted)} (${shown})`);
  return fail(meaning, `${fault.message || "no answer"} (${shown})`);
}

/** What an error of the SDK says. */
export function faultOf(error: unknown): AzureFault {
  const { name, code, statusCode, details, response } = (error ?? {}) as SdkError;
  const said = response?.headers?.get("x-ms-error-code");
  const date = Date.parse(response?.headers?.get("date") ?? "");
  return {
    code: code ?? details?.errorCode ?? said ?? name ?? "unknown",
    status: statusCode,
    message: withoutSignature(messageOf(error).split("\n")[0]!.slice(0, 300)),
    clockDifferenceMs: Number.isNaN(date) ? 0 : Math.abs(date - Date.now()),
  };
}

interface SdkError {
  name?: string;
  code?: string;
  statusCode?: number;
  details?: { errorCode?: string };
  response?: { headers?: { get: (name: string) => string | undefined } };
}

/** A message may quote the address of the request, of which a shared access signature is a part. */
function withoutSignature(message: string): string {
  return message.replace(/\bsig=[^&\s"'<>]*/gi, "sig=…");
}

type Meaning = "object-missing" | "object-exists" | "remote-refused" | "remote-failed";

function meaningOf({ code, status, message }: AzureFault): Meaning {
  if (REFUSED.has(code) || NO_IDENTITY.test(code) || NO_TLS.test(message)) return "remote-refused";
  if (MAY_HEAL.has(code)) return "remote-failed";
  if (status === 404) return "object-missing";
  // Azure answers with 409 to who finds a blob, and with 412 to who loses a race for it.
  if (code === "BlobAlreadyExists" || status === 412) return "object-exists";
  if (status === undefined || [408, 409, 429].includes(status)) return "remote-failed";
  return status >= 300 && status < 500 ? "remote-refused" : "remote-failed";
}

function adviceOn(fault: AzureFault, attempted: AzureAttempt): string {
  const { account, container } = attempted.location;
  const { code, status, clockDifferenceMs } = fault;
  if (code === "ContainerNotFound")
    return `there is no container "${container}"; make it first, or mend the URL`;
  if (NO_IDENTITY.test(code))
    return "no credentials were found; set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, log in with az login, or add ?anonymous=1 for a public container";
  if (NO_TLS.test(fault.message))
    return "an identity is shown over https:// only; mend the endpoint, or set a key";
  if (status === 403 && clockDifferenceMs > CLOCK_TOLERANCE_MS)
    return "the clock of this machine is wrong; set it";
  if (code === "PublicAccessNotPermitted" || status === 401)
    return `the account "${account}" lets nobody in without credentials`;
  if (status === 403) return deniedAdvice(attempted.location);
  return fault.message;
}

function deniedAdvice(location: AzureLocation): string {
  const { account, container } = location;
  const needed = `it must allow to list, read, write and delete in the container "${container}"`;
  switch (credentialFor(location).kind) {
    case "key":
      return `the key does not fit the account "${account}", or its firewall keeps this machine out; check AZURE_STORAGE_KEY or AZURE_STORAGE_CONNECTION_STRING`;
    case "signature":
      return `the shared access signature is refused; check AZURE_STORAGE_SAS_TOKEN and its end: ${needed}`;
    case "identity":
      return `access is denied; give this identity the role Storage Blob Data Contributor: ${needed}`;
    case "none":
      return `the container "${container}" is not public; leave ?anonymous=1 out and set credentials`;
  }
}
