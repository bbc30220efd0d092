/**
 * What a failed request to S3 means. The SDK's errors carry the whole exchange, credentials included, so none of them is
 * passed on: a failure of ours has words and the store's code.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import { DatasetError, isDatasetError, messageOf } from "../../errors.js";
import type { Attempted } from "../requests.js";
import type { S3Location } from "./location.js";

export interface S3Attempt extends Attempted {
  location: S3Location;
}

/** The facts in an error of the SDK, whatever class it has. */
export interface S3Fault {
  /** S3's code (`NoSuchKey`), or that of a system call (`ECONNRESET`). */
  code: string;
  status: number | undefined;
  message: string;
  headers: Readonly<Record<string, string>>;
  /** Whether the SDK has just learnt that this machine's clock is wrong, and will sign by the store's. */
  clockCorrected: boolean;
}

/** Codes with status 400 that another attempt may mend: the body was lost or changed on its way, or the upload ended. */
const MAY_HEAL = new Set([
  "BadDigest",
  "IncompleteBody",
  "InvalidDigest",
  "InvalidPart",
  "NoSuchUpload",
  "RequestTimeout",
  "XAmzContentSHA256Mismatch",
]);
const WRONG_REGION = new Set([
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
  "PermanentRedirect",
  "TemporaryRedirect",
]);
/** Of the SDK itself, before anything was sent. */
const NO_CREDENTIALS = new Set(["CredentialsProviderError", "TokenProviderError", "ExpiredTokenException"]);

/** The SDK throws plain errors for settings it lacks. */
const LACKS_SETTING = /Region is missing|Invalid region|Could not load credentials/;

/** The failure to report for `error`; one that is a failure of ours already stays as it is. */
export function explainS3(error: unknown, attempted: S3Attempt): DatasetError {
  if (isDatasetError(error)) return error;
  const fault = faultOf(error);
  const { attempt, key, url } = attempted;
  const shown = fault.status === undefined ? fault.code : `${fault.code}, HTTP ${fault.status}`;
  const what = key === "" ? url : `"${key}" in ${url}`;
  const fail = (code: Meaning, reason: string) =>
    new DatasetError(code, { key }, `Cannot ${attempt} ${what}: ${reason}`, { cause: causeOf(fault) });
  const meaning = meaningOf(fault);
  if (meaning === "object-missing") return fail(meaning, "no such object");
  if (meaning === "object-exists") return fail(meaning, "it exists already");
  if (meaning === "remote-refused") return fail(meaning, `${adviceOn(fault, attempted)} (${shown})`);
  return fail(meaning, `${fault.message || "no answer"} (${shown})`);
}

/** What an error of the SDK says. */
export function faultOf(error: unknown): S3Fault {
  const { name, code, Code, $metadata, $response } = (error ?? {}) as SdkError;
  const status = $metadata?.httpStatusCode;
  const ofSystem = typeof code === "string" && /^E[A-Z_]+$/.test(code) ? code : undefined;
  return {
    code: ofSystem ?? Code ?? name ?? "unknown",
    // The SDK gives what it cannot read as an answer the status of the answer, and success is none.
    status,
    message: messageOf(error).split("\n")[0]!.slice(0, 300),
    headers: $response?.headers ?? {},
    clockCorrected: $metadata?.clockSkewCorrected === true,
  };
}

interface SdkError {
  name?: string;
  code?: unknown;
  Code?: string;
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
  $response?: { headers?: Record<string, string> };
}

type Meaning = "object-missing" | "object-exists" | "remote-refused" | "remote-failed";

function meaningOf({ code, status, message, clockCorrected }: S3Fault): Meaning {
  if (code === "NoSuchBucket" || NO_CREDENTIALS.has(code) || code === "InvalidAccessKeyId")
    return "remote-refused";
  if (MAY_HEAL.has(code) || clockCorrected) return "remote-failed";
  if (status === 404) return "object-missing";
  if (status === 412) return "object-exists";
  if (status === undefined) return LACKS_SETTING.test(message) ? "remote-refused" : "remote-failed";
  if (status === 501) return "remote-refused";
  if (status >= 300 && status < 500 && ![408, 409, 425, 429].includes(status)) return "remote-refused";
  return "remote-failed"; // Also an answer of status 200 that broke off or makes no sense.
}

function adviceOn(fault: S3Fault, { location }: S3Attempt): string {
  const { bucket, region } = location;
  const { code, status, headers } = fault;
  if (code === "NoSuchBucket") return `there is no bucket "${bucket}"; make it first, or mend the URL`;
  if (NO_CREDENTIALS.has(code))
    return "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or add ?anonymous=1 for a public bucket";
  if (/Region is missing/.test(fault.message)) return "no region is set; add ?region=… or set AWS_REGION";
  if (code === "InvalidAccessKeyId")
    return "the store does not know the access key; check AWS_ACCESS_KEY_ID or AWS_PROFILE";
  if (code === "SignatureDoesNotMatch")
    return "the secret key does not fit the access key; check AWS_SECRET_ACCESS_KEY or AWS_PROFILE";
  if (code === "ExpiredToken") return "the credentials have expired; get new ones";
  if (code === "RequestTimeTooSkewed") return "the clock of this machine is wrong; set it";
  const isRedirect = status === 301 || status === 307;
  if (WRONG_REGION.has(code) || isRedirect)
    return regionAdvice(bucket, region, headers["x-amz-bucket-region"]);
  if (status === 403)
    return `access is denied; the credentials must allow to list, read, write and delete in the bucket "${bucket}"`;
  if (status === 501) return "the store cannot do this; varve needs conditional writes (If-None-Match)";
  return fault.message;
}

function regionAdvice(bucket: string, region: string | undefined, actual: string | undefined): string {
  const asked = region === undefined ? "" : `, not in "${region}"`;
  if (actual === undefined)
    return `the bucket "${bucket}" is in another region; add ?region=… or set AWS_REGION`;
  return `the bucket "${bucket}" is in the region "${actual}"${asked}; add ?region=${actual} or set AWS_REGION`;
}

function causeOf({ code, status, message }: S3Fault): Error {
  return new Error(status === undefined ? `${code}: ${message}` : `${code} (HTTP ${status}): ${message}`);
}
