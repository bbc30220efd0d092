/**
 * Who signed a request, checked as S3 does: in the `Authorization` header or, presigned, in the query.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and sigv4-query-string-auth.html
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { S3Error, invalid } from "./error.js";
import { type S3Request, headerOf } from "./request.js";

export interface Account {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/** S3's bound: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (RequestTimeTooSkewed) */
const MAX_SKEW_MS = 15 * 60_000;

interface Claim {
  credential: string;
  signedHeaders: string[];
  signature: string;
  /** `20261122T135600Z` */
  date: string;
  payloadHash: string;
  query: [string, string][];
  expiresSeconds?: number;
}

/**
 * Checks the signature. The payload's hash is only known to be what was signed: who reads the body compares it.
 * @returns Whether anybody signed at all.
 */
export function checkSignature(request: S3Request, account: Account, nowMs: number): boolean {
  const claim = claimOf(request);
  if (!claim) return false;
  const [keyId, day, region, service, kind] = claim.credential.split("/") as (string | undefined)[];
  if (service !== "s3" || kind !== "aws4_request" || !claim.date.startsWith(day ?? "?"))
    throw invalid("The credential scope is malformed", "AuthorizationHeaderMalformed");
  if (keyId !== account.accessKeyId)
    throw new S3Error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.");
  if (region !== account.region) throw wrongRegion(region ?? "", account.region);
  checkTime(claim, nowMs);
  checkSigned(request, claim);
  const wanted = signatureOf(canonicalRequest(request, claim), claim, account);
  if (!equal(wanted, claim.signature)) throw mismatch();
  return true;
}

function claimOf(request: S3Request): Claim | undefined {
  const header = headerOf(request, "authorization");
  if (header !== undefined) return headerClaim(request, header);
  return request.query.has("X-Amz-Signature") ? queryClaim(request.query) : undefined;
}

function headerClaim(request: S3Request, header: string): Claim {
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, credential, signed, signature] = pattern.exec(header) ?? [];
  if (!credential || !signed || !signature)
    throw invalid("The authorization header is malformed", "AuthorizationHeaderMalformed");
  const payloadHash = headerOf(request, "x-amz-content-sha256");
  if (payloadHash === undefined)
    throw invalid("Missing required header: x-amz-content-sha256", "InvalidRequest");
  const date = headerOf(request, "x-amz-date") ?? "";
  return {
    credential,
    signedHeaders: signed.split(";"),
    signature,
    date,
    payloadHash,
    query: [...request.query],
  };
}

function queryClaim(query: URLSearchParams): Claim {
  const field = (name: string) => query.get(`X-Amz-${name}`) ?? "";
  if (field("Algorithm") !== "AWS4-HMAC-SHA256")
    throw invalid("Unknown algorithm", "AuthorizationQueryParametersError");
  return {
    credential: field("Credential"),
    signedHeaders: field("SignedHeaders").split(";"),
    signature: field("Signature"),
    date: field("Date"),
    payloadHash: query.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD",
    query: [...query].filter(([name]) => name !== "X-Amz-Signature"),
    expiresSeconds: Number(field("Expires")),
  };
}

function checkTime({ date, expiresSeconds }: Claim, nowMs: number): void {
  const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(date) ?? [];
  if (!day || !time) throw new S3Error(403, "AccessDenied", "A valid x-amz-date is required");
  const iso = `${day.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`;
  const signedMs = Date.parse(iso);
  const late = expiresSeconds === undefined ? false : nowMs > signedMs + expiresSeconds * 1000;
  if (late) throw new S3Error(403, "AccessDenied", "Request has expired");
  const skewMs = expiresSeconds === undefined ? Math.abs(nowMs - signedMs) : signedMs - nowMs;
  if (skewMs <= MAX_SKEW_MS) return;
  throw new S3Error(
    403,
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    {
      RequestTime: date,
      ServerTime: new Date(nowMs).toISOString(),
      MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
    },
  );
}

function checkSigned({ headers }: S3Request, { signedHeaders }: Claim): void {
  const needed = Object.keys(headers).filter((name) => name === "host" || name.startsWith("x-amz-"));
  const unsigned = needed.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  throw new S3Error(403, "AccessDenied", "There were headers present in the request which were not signed", {
    HeadersNotSigned: unsigned.join(", "),
  });
}

function canonicalRequest(request: S3Request, { signedHeaders, payloadHash, query }: Claim): string {
  const path = request.rawPath.split("/").map((part) => encoded(decodeURIComponent(part))).join("/"); // prettier-ignore
  const pairs = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const headers = signedHeaders.map((name) => {
    const value = (headerOf(request, name) ?? "").trim().replace(/ +/g, " ");
    return `${name}:${value}\n`;
  });
  return [
    request.method,
    path,
    pairs.sort().join("&"),
    headers.join(""),
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

function signatureOf(canonical: string, { date, credential }: Claim, account: Account): string {
  const scope = credential.split("/").slice(1);
  const hash = createHash("sha256").update(canonical).digest("hex");
  const key = scope.reduce<string | Buffer>(
    (above, part) => createHmac("sha256", above).update(part).digest(),
    `AWS4${account.secretAccessKey}`,
  );
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), hash].join("\n");
  return createHmac("sha256", key).update(text).digest("hex");
}

/** RFC 3986: everything but letters, digits and `-_.~`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function wrongRegion(got: string, wanted: string): S3Error {
  const message = `The authorization header is malformed; the region '${got}' is wrong; expecting '${wanted}'`;
  return new S3Error(
    400,
    "AuthorizationHeaderMalformed",
    message,
    { Region: wanted },
    { "x-amz-bucket-region": wanted },
  );
}

function mismatch(): S3Error {
  const message =
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
  return new S3Error(403, "SignatureDoesNotMatch", message);
}
