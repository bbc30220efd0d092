/** The server that S3 tests run against is as strict as S3: what it lets pass, the adapter's tests would not see. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";

import { S3, type S3ClientConfig } from "@aws-sdk/client-s3";

import { sha256 } from "../../../src/content/hash.js";
import { MiB } from "../../../src/units.js";
import { noise } from "../../content/noise.js";
import { startNode } from "../../support/processes.js";
import { type S3Server, type S3ServerOptions } from "../../support/s3-server/server.js";
import { s3Server } from "../../support/s3.js";

const SERVER = new URL("../../support/s3-server/main.js", import.meta.url).pathname;
const AT = { Bucket: "bucket", Key: "key" };

/** The SDK, which is what S3's own clients are. */
function client(
  { endpoint, account }: Pick<S3Server, "endpoint" | "account">,
  config: S3ClientConfig = {},
): S3 {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  const { region, ...credentials } = account;
  return new S3({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1, ...config });
}

async function started(t: TestContext, options?: S3ServerOptions) {
  const server = await s3Server(t, options);
  return { server, s3: client(server) };
}

/** For `assert.rejects`: the store's code and status. */
function refused(name: string, status: number) {
  return (error: unknown) => {
    const { name: got, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    assert.deepEqual([got, $metadata?.httpStatusCode], [name, status]);
    return true;
  };
}

test("a request signed with a wrong secret, by a stranger, for another region or not at all is refused", async (t) => {
  const { server } = await started(t);
  const list = (config: S3ClientConfig) => client(server, config).listObjectsV2({ Bucket: "bucket" });
  const { accessKeyId } = server.account;
  const wrong = { accessKeyId, secretAccessKey: "wrong" };
  await assert.rejects(list({ credentials: wrong }), refused("SignatureDoesNotMatch", 403));
  const stranger = { accessKeyId: "stranger", secretAccessKey: "x" };
  await assert.rejects(list({ credentials: stranger }), refused("InvalidAccessKeyId", 403));
  await assert.rejects(list({ region: "eu-west-1" }), refused("AuthorizationHeaderMalformed", 400));
  const unsigned = { signer: { sign: async <T>(request: T) => request } } as S3ClientConfig;
  await assert.rejects(list(unsigned), refused("AccessDenied", 403));
});

test("a clock that is more than 15 minutes off is refused", async (t) => {
  for (const minutes of [-16, 16]) {
    const { s3 } = await started(t, { now: () => Date.now() + minutes * 60_000 });
    await assert.rejects(s3.listObjectsV2({ Bucket: "bucket" }), refused("RequestTimeTooSkewed", 403));
  }
});

test("a header changed after signing is refused", async (t) => {
  const { s3 } = await started(t);
  s3.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-amz-meta-added"] = "later";
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  await assert.rejects(s3.putObject({ ...AT, Body: "x" }), refused("AccessDenied", 403));
});

test("a presigned URL is good until it expires, for what was signed alone", async (t) => {
  const { s3, server } = await started(t);
  await s3.putObject({ ...AT, Body: "hello" });
  const get = async (url: string) => (await fetch(url)).status;
  const url = presigned(server, "/bucket/key", 60, Date.now());
  assert.equal(await (await fetch(url)).text(), "hello");
  assert.equal(await get(url.replace("/key", "/other")), 403);
  assert.equal(await get(url.replace("Expires=60", "Expires=6000")), 403);
  assert.equal(await get(presigned(server, "/bucket/key", 60, Date.now() - 61_000)), 403);
});

test("a stream framed as aws-chunked is stored without its frames, its trailer verified", async (t) => {
  const { s3 } = await started(t);
  const content = noise("framed", 300_000);
  const Body = Readable.from([content.subarray(0, 100_000), content.subarray(100_000)]);
  const { ChecksumCRC32 } = await s3.putObject({ ...AT, Body, ContentLength: content.length });
  const got = await s3.getObject(AT);
  assert.equal(sha256(await got.Body!.transformToByteArray()), sha256(content));
  assert.equal(got.ContentEncoding, undefined);
  assert.equal(got.ChecksumCRC32, ChecksumCRC32);
});

test("a body that does not have the checksum sent with it is refused, and nothing stored", async (t) => {
  const { s3 } = await started(t);
  const of = (algorithm: string) => createHash(algorithm).update("other bytes").digest("base64");
  for (const sums of [
    { ChecksumSHA256: of("sha256") },
    { ContentMD5: of("md5") },
    { ChecksumCRC32: "AAAAAA==" },
    { ChecksumCRC32C: "AAAAAA==" },
  ])
    await assert.rejects(s3.putObject({ ...AT, Body: "bytes", ...sums }), refused("BadDigest", 400));
  await assert.rejects(s3.headObject(AT), refused("NotFound", 404));
});

test("the CRC32C of RFC 3720 is what a put answers with", async (t) => {
  const { s3 } = await started(t);
  const { ChecksumCRC32C } = await s3.putObject({
    ...AT,
    Body: Buffer.alloc(32),
    ChecksumAlgorithm: "CRC32C",
  });
  assert.equal(Buffer.from(ChecksumCRC32C!, "base64").toString("hex"), "8a9136aa");
});

test("conditions on writes and reads hold, and a delete in between is a conflict", async (t) => {
  const { s3, server } = await started(t);
  await assert.rejects(s3.putObject({ ...AT, Body: "x", IfMatch: '"0"' }), refused("NoSuchKey", 404));
  const { ETag } = await s3.putObject({ ...AT, Body: "first", IfNoneMatch: "*" });
  const again = s3.putObject({ ...AT, Body: "x", IfNoneMatch: "*" });
  await assert.rejects(again, refused("PreconditionFailed", 412));
  await assert.rejects(s3.getObject({ ...AT, IfMatch: '"0"' }), refused("PreconditionFailed", 412));
  assert.equal((await s3.headObject({ ...AT, IfMatch: ETag })).ContentLength, 5);
  await s3.putObject({ ...AT, Body: "second", IfMatch: ETag });
  await assert.rejects(s3.putObject({ ...AT, Body: "x", IfMatch: ETag }), refused("PreconditionFailed", 412));

  server.faults.set([{ operations: ["PutObject"], fault: { kind: "bandwidth", bytesPerSecond: 1 * MiB } }]);
  const slow = s3.putObject({ ...AT, Body: noise("slow", 300_000), IfNoneMatch: "*" });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await s3.deleteObject(AT);
  await assert.rejects(slow, refused("ConditionalRequestConflict", 409));
});

test("ranges are those of HTTP, the last bytes included", async (t) => {
  const { s3 } = await started(t);
  await s3.putObject({ ...AT, Body: "0123456789" });
  const get = async (Range: string) => (await s3.getObject({ ...AT, Range })).Body!.transformToString();
  assert.deepEqual(
    await Promise.all(["bytes=2-4", "bytes=7-", "bytes=-3", "bytes=8-99", "bytes=-99"].map(get)),
    ["234", "789", "789", "89", "0123456789"],
  );
  await assert.rejects(get("bytes=10-12"), refused("InvalidRange", 416));
});

test("listings come in pages, with prefixes taken together, and start after any key", async (t) => {
  const { s3 } = await started(t);
  const keys = ["a", "b/1", "b/2", "b/c/3", "b-", "ü", "z"];
  for (const Key of keys) await s3.putObject({ Bucket: "bucket", Key, Body: Buffer.alloc(0) });
  const list = async (asked: { Prefix?: string; Delimiter?: string; StartAfter?: string }) => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await s3.listObjectsV2({
        Bucket: "bucket",
        MaxKeys: 2,
        ...asked,
        ...(token && { ContinuationToken: token }),
      });
      assert.ok((page.KeyCount ?? 0) <= 2);
      seen.push(
        ...(page.Contents ?? []).map(({ Key }) => Key!),
        ...(page.CommonPrefixes ?? []).map((p) => p.Prefix!),
      );
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return seen;
  };
  assert.deepEqual(await list({}), ["a", "b-", "b/1", "b/2", "b/c/3", "z", "ü"]);
  assert.deepEqual(await list({ Delimiter: "/" }), ["a", "b-", "z", "b/", "ü"]);
  assert.deepEqual(await list({ Delimiter: "/", Prefix: "b/" }), ["b/1", "b/2", "b/c/"]);
  assert.deepEqual(await list({ StartAfter: "b/1" }), ["b/2", "b/c/3", "z", "ü"]);
  assert.deepEqual(await list({ StartAfter: "b/1", Prefix: "b/c" }), ["b/c/3"]);
});

test("an upload in parts can be listed, replaced in part, completed once, or given up", async (t) => {
  const { s3 } = await started(t);
  const parts = [noise("one", 5 * MiB), noise("two", 1000)];
  const { UploadId } = await s3.createMultipartUpload({ ...AT, ChecksumAlgorithm: "SHA256" });
  const send = (PartNumber: number, Body: Uint8Array) =>
    s3.uploadPart({ ...AT, UploadId, PartNumber, Body, ChecksumAlgorithm: "SHA256" });
  await send(2, noise("replaced", 2000));
  const sent = [await send(1, parts[0]!), await send(2, parts[1]!)];
  const listed = await s3.listParts({ ...AT, UploadId });
  assert.deepEqual(listed.Parts!.map(({ Size }) => Size), [5 * MiB, 1000]); // prettier-ignore
  const uploads = await s3.listMultipartUploads({ Bucket: "bucket", Prefix: "k" });
  assert.deepEqual(uploads.Uploads!.map((upload) => upload.UploadId), [UploadId]); // prettier-ignore

  const Parts = sent.map(({ ETag, ChecksumSHA256 }, index) => ({
    PartNumber: index + 1,
    ETag,
    ChecksumSHA256,
  }));
  const complete = (named: typeof Parts) =>
    s3.completeMultipartUpload({ ...AT, UploadId, MultipartUpload: { Parts: named }, IfNoneMatch: "*" });
  await assert.rejects(complete(Parts.toReversed()), refused("InvalidPartOrder", 400));
  await assert.rejects(complete([{ ...Parts[0]!, ETag: '"0"' }]), refused("InvalidPart", 400));
  const { ChecksumSHA256 } = await complete(Parts);
  const sums = parts.map((part) => createHash("sha256").update(part).digest());
  const composite = createHash("sha256").update(Buffer.concat(sums)).digest("base64");
  assert.equal(ChecksumSHA256, `${composite}-2`);
  await assert.rejects(complete(Parts), refused("NoSuchUpload", 404));
  const whole = await (await s3.getObject(AT)).Body!.transformToByteArray();
  assert.equal(sha256(whole), sha256(Buffer.concat(parts)));

  const other = await s3.createMultipartUpload(AT);
  await s3.abortMultipartUpload({ ...AT, UploadId: other.UploadId });
  await assert.rejects(s3.listParts({ ...AT, UploadId: other.UploadId }), refused("NoSuchUpload", 404));
});

test("what is replaced or deleted in a bucket with versions can be read by its version", async (t) => {
  const { s3 } = await started(t, { versioned: true });
  const first = await s3.putObject({ ...AT, Body: "first" });
  await s3.putObject({ ...AT, Body: "second" });
  await s3.deleteObjects({ Bucket: "bucket", Delete: { Objects: [{ Key: "key" }] } });
  await assert.rejects(s3.getObject(AT), refused("NoSuchKey", 404));
  const old = await s3.getObject({ ...AT, VersionId: first.VersionId });
  assert.equal(await old.Body!.transformToString(), "first");
});

test("as a process it is told what is to go wrong, and tells what was asked of it", async (t) => {
  const process = startNode(t, SERVER);
  const [line] = await process.saying(/.*\n/);
  const { endpoint, control, ...account } = JSON.parse(line) as Record<string, string>;
  const s3 = client({ endpoint: endpoint!, account: account as unknown as S3Server["account"] });
  const rule = {
    operations: ["PutObject"],
    nth: 1,
    fault: { kind: "status", status: 503, code: "SlowDown" },
  };
  await fetch(`${control}/faults`, { method: "PUT", body: JSON.stringify([rule]) });
  await assert.rejects(s3.putObject({ ...AT, Body: "x" }), refused("SlowDown", 503));
  await s3.putObject({ ...AT, Body: "hello" });
  const told = async (what: string) => (await fetch(`${control}/${what}`)).json();
  assert.deepEqual(await told("injected"), { status: 1 });
  const counts = (await told("counts")) as S3Server["counts"]["byOperation"];
  assert.deepEqual(counts["PutObject"], {
    requests: 2,
    receivedBytes: 6,
    sentBytes: counts["PutObject"]!.sentBytes,
  });
  process.child.stdin.end();
  assert.equal((await process.ended).code, 0);
});

/** Signs a GET in the query. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
function presigned({ endpoint, account }: S3Server, path: string, seconds: number, nowMs: number): string {
  const date = new Date(nowMs).toISOString().replace(/[:-]|\.\d+/g, "");
  const scope = [date.slice(0, 8), account.region, "s3", "aws4_request"];
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const query = [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    `X-Amz-Credential=${encodeURIComponent([account.accessKeyId, ...scope].join("/"))}`,
    `X-Amz-Date=${date}`,
    `X-Amz-Expires=${seconds}`,
    "X-Amz-SignedHeaders=host",
  ].join("&");
  const request = ["GET", path, query, `host:${new URL(endpoint).host}\n`, "host", "UNSIGNED-PAYLOAD"].join(
    "\n",
  );
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), sha256(Buffer.from(request))].join("\n");
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${account.secretAccessKey}`);
  return `${endpoint}${path}?${query}&X-Amz-Signature=${hmac(key, text).toString("hex")}`;
}
