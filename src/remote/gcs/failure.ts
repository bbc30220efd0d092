/**
 * What a failed request to Google Cloud Storage means. Errors of the SDK may carry tokens and parts of key files, so none
 * of them is passed on, nor are its words: a failure of ours has words and the store's code.
 * Source: https://cloud.google.com/storage/docs/json_api/v1/status-codes
 */
import { DatasetError, errnoOf, isDatasetError, messageOf } from "../../errors.js";
import type { Attempted } from "../requests.js";

/** An answer that says no. */
export class GcsRefusal extends Error {
  /** `conditionNotMet`; a download says no more than words. */
  readonly reason: string | undefined;

  constructor(
    readonly status: number,
    body: string,
  ) {
    const { message, reason } = saidIn(body);
    super(message.split("\n")[0]!.slice(0, 300));
    this.reason = reason;
  }
}

/** There is no token to send: none was found, or none was given for what was found. */
export class GcsTokenFailure extends Error {
  /** Of the answer, where there was one. */
  readonly status: number | undefined;
  /** The code of a system call, or the one of OAuth: `invalid_grant`. */
  readonly code: string | undefined;
  readonly isMissing: boolean;

  constructor(error: unknown) {
    super("no token"); // What the SDK says may quote the file of credentials.
    const { response } = (error ?? {}) as { response?: { status?: number; data?: { error?: unknown } } };
    const oauth = response?.data?.error;
    this.status = response?.status;
    this.code = typeof oauth === "string" && /^[a-z_]{1,50}$/.test(oauth) ? oauth : errnoOf(error);
    this.isMissing = /default credentials/i.test(messageOf(error));
  }
}

export interface GcsAttempt extends Attempted {
  bucket: string;
}

type Meaning = "object-missing" | "object-exists" | "remote-refused" | "remote-failed";

/** The failure to report for `error`; one that is a failure of ours already stays as it is. */
export function explainGcs(error: unknown, { attempt, key, url, bucket }: GcsAttempt): DatasetError {
  if (isDatasetError(error)) return error;
  const what = key === "" ? url : `"${key}" in ${url}`;
  const [meaning, reason] = explanationOf(error, bucket);
  return new DatasetError(meaning, { key }, `Cannot ${attempt} ${what}: ${reason}`);
}

function explanationOf(error: unknown, bucket: string): [Meaning, string] {
  if (error instanceof GcsTokenFailure) return withoutToken(error);
  if (error instanceof GcsRefusal) return refused(error, bucket);
  return ["remote-failed", `${messageOf(error).slice(0, 300)} (${errnoOf(error) ?? "no answer"})`];
}

/** Codes of system calls that speak of the file of credentials, not of the network. */
const OF_FILES = new Set(["ENOENT", "EACCES", "EPERM", "EISDIR", "ENOTDIR"]);
const WHERE = "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login";

function withoutToken({ status, code, isMissing }: GcsTokenFailure): [Meaning, string] {
  if (isMissing)
    return [
      "remote-refused",
      `no credentials were found; set ${WHERE}, or add ?anonymous=1 for a public bucket`,
    ];
  const isOfNetwork = code !== undefined && /^E[A-Z_]+$/.test(code) && !OF_FILES.has(code);
  if (isOfNetwork || (status !== undefined && mayHealStatus(status)))
    return ["remote-failed", `no token could be fetched (${code ?? `HTTP ${status}`})`];
  const shown = code ?? (status === undefined ? "they cannot be read" : `HTTP ${status}`);
  return ["remote-refused", `the credentials give no access (${shown}); check ${WHERE}`];
}

function refused(refusal: GcsRefusal, bucket: string): [Meaning, string] {
  const { status, reason, message } = refusal;
  const shown = reason === undefined ? `HTTP ${status}` : `${reason}, HTTP ${status}`;
  if (status === 404 && /bucket does not exist/i.test(message))
    return ["remote-refused", `there is no bucket "${bucket}"; make it first, or mend the URL (${shown})`];
  if (status === 404 || status === 410) return ["object-missing", "no such object"]; // Or no such upload.
  if (status === 412) return ["object-exists", "it exists already"];
  if (mayHeal(refusal)) return ["remote-failed", `${message || "no answer"} (${shown})`];
  return ["remote-refused", `${adviceOn(refusal, bucket)} (${shown})`];
}

/** Google says 403 to who asks too often, and 400 to a body that was damaged on its way. */
function mayHeal({ status, reason = "", message }: GcsRefusal): boolean {
  if (status === 403) return /^(user)?rateLimitExceeded$/i.test(reason);
  if (status === 400) return /hash|checksum|digest/i.test(message);
  return mayHealStatus(status);
}

function mayHealStatus(status: number): boolean {
  return status >= 500 ? status !== 501 : [408, 409, 425, 429].includes(status);
}

function adviceOn({ status, message }: GcsRefusal, bucket: string): string {
  const rights = `list, read, write and delete in the bucket "${bucket}"`;
  if (status === 401) return `the store does not accept the credentials, or wants some; check ${WHERE}`;
  if (status === 403) return `access is denied; the credentials must allow to ${rights}`;
  return message || "the store cannot do this";
}

function saidIn(body: string): { message: string; reason: string | undefined } {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: string; errors?: { reason?: string }[] } };
    return { message: error?.message ?? "", reason: error?.errors?.[0]?.reason };
  } catch {
    return { message: body, reason: undefined };
  }
}
